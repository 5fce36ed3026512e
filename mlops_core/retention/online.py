"""Sets of online values that nobody reads.

A set belongs to definitions of features (`UseCase.online_name`). It stays while a registered version, the
last run, a use case that can be found or a kept output of `feature_store` has these definitions. Names of any
other form are not ours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_core.domain.digest import digest_of
from mlops_core.retention.found import Found, Item

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from mlops_core.domain.inputs import Inputs
    from mlops_core.ports import OnlineStore
    from mlops_core.retention.references import References

__all__ = ["garbage", "online_name_of"]

_DIGEST = re.compile(r"[0-9a-f]{12}")
_STAGE = "feature_store"


def online_name_of(inputs: Inputs) -> str | None:
    """The set that a use of `feature_store` filled; None for definitions of another form.

    `UseCase.features_digest` of the same definitions, from their JSON.
    """
    parts = inputs.definitions
    try:
        entities = [{"name": name, "key": key} for name, key in parts["entities"].items()]
        digest = digest_of(
            [
                entities[0],
                entities[1:],
                [{**view, "features": list(view["features"].values())} for view in parts["views"].values()],
                [{"name": name, "formula": formula} for name, formula in parts["on_demand"].items()],
                parts["features"],
                list(parts["sources"].values()),
            ]
        )
    except (KeyError, TypeError, AttributeError, IndexError):
        return None
    return f"{inputs.use_case}-{digest[:12]}"


def garbage(
    online: OnlineStore,
    references: References,
    names: Collection[str],
    *,
    kept_by: Iterable[Inputs],
    used: Callable[[], Iterable[Inputs]],
) -> Iterator[Found]:
    """Sets of the use cases `names`. `kept_by` are the inputs of kept outputs and last uses.

    `used` gives those of all outputs and last uses there are when it is called, to look once more.
    """
    filled = _filled(kept_by)
    stored = online.names()
    for use_case in sorted(names):
        kept = references.online_names(use_case)
        if kept is None:
            continue
        for name in stored:
            head, _, digest = name.rpartition("-")
            if head == use_case and _DIGEST.fullmatch(digest) and name not in kept | filled:
                yield Found(_item(online, name, use_case), _Drop(online, name, used))


def _filled(inputs: Iterable[Inputs]) -> set[str]:
    found = {online_name_of(one) for one in inputs if one.stage == _STAGE}
    return {name for name in found if name is not None}


def _item(online: OnlineStore, name: str, use_case: str) -> Item:
    state = online.state(name)
    rows = f", {state.rows:,} rows as of {state.as_of:%Y-%m-%d}" if state else ""
    return Item(
        kind="online values",
        what=name,
        use_case=use_case,
        why=f"no version, no run and no use case has these definitions{rows}",
    )


@dataclass(frozen=True)
class _Drop:
    online: OnlineStore
    name: str
    used: Callable[[], Iterable[Inputs]]

    def __call__(self) -> bool:
        if self.name in _filled(self.used()):
            return False
        self.online.drop(self.name)
        return True
