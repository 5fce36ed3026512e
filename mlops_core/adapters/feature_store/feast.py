"""The offline store that reads through Feast 0.67 and its DuckDB store, in an environment of its own.

Latest values are Feast's own point-in-time join over the canonical events. What Feast cannot say (windowed
aggregates, corrections by event id) is computed by the embedded store at the spine's moments, written as
feature rows and read back through Feast: what Feast hands out is what was computed. What Feast answers
otherwise than ours, and how it is mended, stands in `feast_reads` and in docs/feast.md.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_core.adapters.feature_store.columns import feature_groups
from mlops_core.adapters.feature_store.feast_process import FeastProcess
from mlops_core.adapters.feature_store.feast_reads import FeastRead, computed_read, latest_read, narrowed
from mlops_core.adapters.feature_store.spine import Spine, events_of, spine_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import pyarrow as pa

    from mlops_core.adapters.feature_store.columns import FeatureGroup
    from mlops_core.adapters.feature_store.instants import Column
    from mlops_core.domain.history import Ingested, Merged
    from mlops_core.domain.sources import Data, EventSource
    from mlops_core.domain.usecase import UseCase
    from mlops_core.ports import OfflineStore

__all__ = ["FeastOfflineStore"]


class FeastOfflineStore:
    """`mlops_core.ports.OfflineStore` through Feast.

    `python` is the interpreter of Feast's environment (default: FEAST_PYTHON, or the cached environment), or
    `process` is one to share with other stores. `folder` is where the files that Feast reads are put for the
    time of a call (default: the system's temporary folder). `embedded` ingests, merges and computes what
    Feast cannot (default: DuckDB). Feast's process is kept between calls; `close` ends it.
    """

    def __init__(
        self,
        *,
        python: Path | None = None,
        folder: Path | None = None,
        embedded: OfflineStore | None = None,
        process: FeastProcess | None = None,
    ) -> None:
        self._process = process or FeastProcess(python)
        self._folder = folder
        self._embedded = embedded or _duckdb()

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
        return self._embedded.ingest(use_case, source, data, into, quarantine=quarantine)

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
        return self._embedded.merge(use_case, source, stored, batch, into, keep_from=keep_from)

    def spine(
        self, use_case: UseCase, events: Path, at: Sequence[datetime], *, as_known_at: datetime | None = None
    ) -> pa.Table:
        """See `OfflineStore.spine`."""
        return self._embedded.spine(use_case, events, at, as_known_at=as_known_at)

    def labels(
        self, use_case: UseCase, events: Path, spine: pa.Table, *, as_known_at: datetime | None = None
    ) -> pa.Table:
        """See `OfflineStore.labels`."""
        return self._embedded.labels(use_case, events, spine, as_known_at=as_known_at)

    def features(
        self,
        use_case: UseCase,
        events: Mapping[str, Path],
        spine: pa.Table,
        *,
        as_known_at: datetime | None = None,
    ) -> pa.Table:
        """See `OfflineStore.features`."""
        asked = Spine.of(spine, use_case.entity.keys)
        groups = feature_groups(use_case)
        reads = [
            latest_read(use_case, group, asked, events_of(events, group.source.name), as_known_at)
            for group in groups
            if _feast_answers(group)
        ]
        names = [feature.name for group in groups if not _feast_answers(group) for feature in group.features]
        if names:
            computed = self._computed(use_case, events, asked, names, as_known_at)
            reads.append(computed_read(names, asked, computed))
        found = self._read(reads)
        return asked.with_columns({name: found[name] for name in use_case.joined_names})

    def close(self) -> None:
        """End Feast's process; the next read starts another."""
        self._process.close()

    def _computed(
        self,
        use_case: UseCase,
        events: Mapping[str, Path],
        asked: Spine,
        names: Sequence[str],
        as_known_at: datetime | None,
    ) -> pa.Table:
        plain = spine_table(asked.keys, asked.moments)
        return self._embedded.features(narrowed(use_case, names), events, plain, as_known_at=as_known_at)

    def _read(self, reads: Sequence[FeastRead]) -> dict[str, Column]:
        with tempfile.TemporaryDirectory(prefix="mlops-feast-", dir=self._folder) as name:
            folder = Path(name)
            requests = [read.request(number, folder) for number, read in enumerate(reads)]
            some = [
                one for one, read in zip(requests, reads, strict=True) if read.spine.num_rows
            ]  # of a spine without rows Feast fails to find the range
            if some:
                self._process.call("historical", folder=name, reads=some)
            found: dict[str, Column] = {}
            for one, read in zip(requests, reads, strict=True):
                found |= read.columns(one["into"] if one in some else None)
        return found


def _feast_answers(group: FeatureGroup) -> bool:
    # A correction takes the row back that it replaces, which Feast has no way to say.
    return group.latest and group.source.event_id is None


def _duckdb() -> OfflineStore:
    from mlops_core.adapters.feature_store.duckdb import DuckDBOfflineStore

    return DuckDBOfflineStore()
