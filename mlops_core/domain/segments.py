"""A use case for a part of the entities: the same definitions, a name and events of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_core.domain.sources import Query
from mlops_core.domain.usecase import UseCase
from mlops_core.errors import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["segment"]


def segment(use_case: UseCase, name: str, data: Mapping[str, Path | Query]) -> UseCase:
    """The same definitions as `<use case>_<name>`: model, features and gate of its own, for its own events.

    `data` says where those are, by source name; sources that it does not name are read as before. Raises
    `DefinitionError` for a source that the use case does not have.
    """
    unknown = sorted(data.keys() - {source.name for source in use_case.sources})
    if unknown:
        known = ", ".join(source.name for source in use_case.sources)
        raise DefinitionError(
            f"segment {name!r}: {use_case.name} has no source {unknown[0]!r}: it has {known}"
        )
    sources = tuple(
        source.model_copy(update=_place(data[source.name])) if source.name in data else source
        for source in use_case.sources
    )
    changed = {"name": f"{use_case.name}_{name}", "sources": sources}
    return UseCase.model_validate({**dict(use_case), **changed})


def _place(data: Path | Query) -> dict[str, object]:
    if isinstance(data, Query):
        return {"path": None, "query": data.sql}
    return {"path": data, "query": None}
