"""From a source's file to canonical events: read, check, sort, write. The same for every offline store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_core.adapters.feature_store.canonical import write_events
from mlops_core.adapters.feature_store.columns import columns_of
from mlops_core.adapters.feature_store.contract import canonical_events
from mlops_core.adapters.feature_store.reading import is_csv, read_source

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_core.domain.sources import EventSource
    from mlops_core.domain.usecase import UseCase

__all__ = ["ingest_file"]


def ingest_file(use_case: UseCase, source: EventSource, path: Path, into: Path) -> None:
    """Write the canonical events of the file at `path` to `into`; see `OfflineStore.ingest`."""
    columns = columns_of(use_case, source)
    table = read_source(path, columns)
    write_events(canonical_events(table, columns, text=is_csv(path)), into)
