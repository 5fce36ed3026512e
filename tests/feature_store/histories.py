"""The events of a small shop, merged again and again: what tests of upserts and of expiry share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from mlops_core.adapters.feature_store.ingest.ingestion import ingest_file
from mlops_core.adapters.feature_store.ingest.merging import merge_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlops_core.domain.history import Merged
    from mlops_core.domain.usecase import UseCase

    Define = Callable[..., UseCase]
    Rows = list[dict[str, Any]]

T = datetime(2024, 3, 31, 12, tzinfo=UTC)
DAY = timedelta(days=1)
TICK = timedelta(microseconds=1) / DAY


class History:
    """The events of the source `orders`, merged in a folder of their own."""

    def __init__(self, use_case: UseCase, folder: Path) -> None:
        self.use_case = use_case
        self.folder = folder
        self.changed: list[Merged] = []

    def ingest(self, rows: Rows | pa.Table) -> Path:
        """Canonical events of these rows."""
        table = rows if isinstance(rows, pa.Table) else pa.Table.from_pylist(rows)
        into = self.folder / f"{len(list(self.folder.iterdir()))}.parquet"
        ingest_file(self.use_case, self.use_case.sources[0], table, into)
        return into

    def merge(self, stored: Path, batch: Path | None = None, keep_from: datetime | None = None) -> Path:
        """The file that comes of it."""
        into = self.folder / f"{len(list(self.folder.iterdir()))}.parquet"
        source = self.use_case.sources[0]
        self.changed.append(merge_files(self.use_case, source, stored, batch, into, keep_from))
        return into

    def merged(self, *batches: Rows | pa.Table) -> pa.Table:
        """What comes of one batch after the other."""
        stored = self.ingest(batches[0])
        for batch in batches[1:]:
            stored = self.merge(stored, self.ingest(batch))
        return pq.read_table(stored)


def event(customer: int = 1, days: float = 0, **columns: object) -> dict[str, Any]:
    """One row; `days` after T."""
    return {"customer": customer, "at": T + days * DAY, "usd": 1} | columns
