"""From a source's data to canonical events: read, check, sort, write. The same for every offline store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_core.adapters.feature_store.canonical import write_events
from mlops_core.adapters.feature_store.columns import columns_of
from mlops_core.adapters.feature_store.ingest.contract import canonical_columns
from mlops_core.adapters.feature_store.ingest.duplicates import sorted_events
from mlops_core.adapters.feature_store.ingest.quarantine import set_aside
from mlops_core.adapters.feature_store.ingest.reading import read_source
from mlops_core.adapters.feature_store.ingest.rules import check_rules
from mlops_core.adapters.feature_store.ingest.violations import Violations
from mlops_core.domain.history import Ingested
from mlops_core.progress import tell

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_core.domain.sources import Data, EventSource
    from mlops_core.domain.usecase import UseCase

__all__ = ["ingest_file"]


def ingest_file(
    use_case: UseCase, source: EventSource, data: Data, into: Path, quarantine: Path | None = None
) -> Ingested:
    """Write the canonical events of `data` to `into`; see `OfflineStore.ingest`.

    The quarantine is complete before the events are: a run killed between the two sets the same rows aside
    again.
    """
    columns = columns_of(use_case, source)
    tell(f"reading {source.name}", 0.0)
    rows = read_source(data, columns)
    tell(f"checking {rows.table.num_rows:,} rows of {source.name}", 0.3)
    violations = Violations(columns.source, rows.table.num_rows, rows.files)
    arrays = canonical_columns(rows, columns, source.columns, violations)
    check_rules(columns.rules, rows, arrays, violations)
    violations.raise_unless_rows_remain()
    tell(f"sorting {rows.table.num_rows:,} rows of {source.name}", 0.5)
    events = sorted_events(arrays, columns, violations)
    if quarantine is None:
        violations.raise_if_any()
        set_aside_rows = 0
    else:
        violations.raise_unless_rows_remain()
        set_aside_rows = set_aside(rows, violations, quarantine)
    del rows, arrays
    tell(f"writing {events.num_rows:,} events of {source.name}", 0.8)
    write_events(events, into)
    return Ingested(rows=events.num_rows, quarantined=set_aside_rows)
