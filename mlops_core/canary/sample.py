"""Whom a canary asks about: entities that are online, spread over all there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_core.domain.usecase import UseCase
from mlops_core.errors import Unavailable
from mlops_core.history import EventHistory
from mlops_core.online_parity import known_at

if TYPE_CHECKING:
    from datetime import datetime

    from mlops_core.domain.online import Key
    from mlops_core.domain.registry import ModelVersion
    from mlops_core.ports import Engines

__all__ = ["online_entities"]


def online_entities(engines: Engines, version: ModelVersion, count: int) -> tuple[list[Key], datetime]:
    """At most `count` ids that have online features by the version's definitions, and what those stand at.

    Ids come from the history of events, since no online store is asked for all it holds; the same history
    and online values give the same ids. Raises `Unavailable` when nobody is online, and `NotFound` when no
    events are stored here.
    """
    use_case = UseCase.stored(version.use_case, f"version {version.number} of {version.name!r}")
    state = engines.online.state(use_case.online_name)
    if state is None or not state.rows:
        raise Unavailable(
            f"there are no online features by the definitions of version {version.number} of "
            f"{version.name!r}, so there is nobody to ask about: with those definitions, "
            f"`mlops features materialise {version.name}` writes them"
        )
    history = EventHistory(use_case, engines)
    source = use_case.source(use_case.label.source)
    held = history.held(source)
    at = state.as_of
    spine = engines.offline.spine(
        use_case, history.path(held), [at], as_known_at=known_at(at, held.last)
    ).select(use_case.entity.keys)
    if spine.num_rows > count:
        spine = spine.take([position * spine.num_rows // count for position in range(count)])
    columns = [spine[name].to_pylist() for name in use_case.entity.keys]
    keys: list[Key] = columns[0] if len(columns) == 1 else list(zip(*columns, strict=True))
    found = engines.online.read(use_case.online_name, keys)
    known = [key for key, values in zip(keys, found, strict=True) if values is not None]
    if not known:
        raise Unavailable(
            f"none of {len(keys):,} entities in the history of {version.name!r} is online: "
            f"`mlops features materialise {version.name} --anew` writes them again"
        )
    return known, at
