"""What every store that reads canonical Parquet files does alike: bringing rows in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_core.adapters.feature_store.ingest.ingestion import ingest_file
from mlops_core.adapters.feature_store.ingest.merging import merge_files

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from mlops_core.domain.history import Ingested, Merged
    from mlops_core.domain.sources import Data, EventSource
    from mlops_core.domain.usecase import UseCase

__all__ = ["CanonicalFiles"]


class CanonicalFiles:
    """`ingest` and `merge` of an offline store, in this process by Arrow."""

    def ingest(
        self,
        use_case: UseCase,
        source: EventSource,
        data: Data,
        into: Path,
        *,
        quarantine: Path | None = None,
    ) -> Ingested:
        """See `OfflineStore.ingest`."""
        return ingest_file(use_case, source, data, into, quarantine=quarantine)

    def merge(
        self,
        use_case: UseCase,
        source: EventSource,
        stored: Path,
        batch: Path | None,
        into: Path,
        *,
        keep_from: datetime | None = None,
    ) -> Merged:
        """See `OfflineStore.merge`."""
        return merge_files(use_case, source, stored, batch, into, keep_from=keep_from)
