"""Refresh the feature store: validated events offline, the latest values online."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from mlops_core.domain.digest import digest_file, digest_of, digest_table
from mlops_core.domain.receipts import EventLog, FeatureStoreReceipt, Ref
from mlops_core.domain.time import close_of_day
from mlops_core.errors import DataError, NotFound
from mlops_core.provenance import code_digest, libraries

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime
    from pathlib import Path

    import pyarrow as pa

    from mlops_core.domain.sources import EventSource
    from mlops_core.domain.usecase import UseCase
    from mlops_core.ports import Engines, OfflineStore, OnlineStore

__all__ = ["feature_store"]

STAGE = "feature_store"
_ONLINE = "online.parquet"
_LOG = logging.getLogger(__name__)


def feature_store(
    use_case: UseCase,
    files: Mapping[str, Path],
    as_of: date | None,
    *,
    engines: Engines,
) -> FeatureStoreReceipt:
    """Store the events of every source and bring online values to the close of `as_of`.

    `files` are the event files by source name. `as_of` is what the run may know: None, or a day after the
    last event, means the day of the last event, since nothing says that the days after it were quiet.
    Raises `DataError` for rows that break the contract, `NotFound` for a missing file; the store is then as
    it was.
    """
    workspace = engines.workspace
    day = as_of.isoformat() if as_of else None
    digests = {name: _digest(path) for name, path in files.items()}
    key = digest_of([STAGE, code_digest(), libraries(), use_case.training_digest, digests, day])

    def make(folder: Path) -> FeatureStoreReceipt:
        stored = {source.name: folder / f"{source.name}.parquet" for source in use_case.sources}
        for source in use_case.sources:
            engines.offline.ingest(use_case, source, files[source.name], stored[source.name])
        events = {
            source.name: _describe(source, stored[source.name], use_case, workspace.placed(STAGE, key, ""))
            for source in use_case.sources
        }
        instant = _knowledge(events[use_case.label.source], as_of)
        values = _latest(use_case, engines.offline, stored, instant)
        _write(values, folder / _ONLINE)
        return FeatureStoreReceipt(
            events=events, as_of=instant, online_rows=values.num_rows, online_digest=digest_table(values)
        )

    receipt = workspace.produce(STAGE, key, FeatureStoreReceipt, make)
    _materialise(use_case, receipt, workspace.path(workspace.placed(STAGE, key, _ONLINE)), engines.online)
    return receipt


def _digest(path: Path) -> str:
    if not path.is_file():
        raise NotFound(f"there is no events file {path}: give the path of a Parquet or CSV file with --data")
    return digest_file(path)


def _describe(source: EventSource, file: Path, use_case: UseCase, folder: str) -> EventLog:
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = pq.read_table(file)
    span = pc.min_max(table[source.event_timestamp]).as_py()
    return EventLog(
        ref=Ref(uri=f"{folder}/{file.name}", digest=digest_table(table)),
        rows=table.num_rows,
        entities=pc.count_distinct(table[use_case.entity.key]).as_py(),
        first=span["min"],
        last=span["max"],
    )


def _knowledge(log: EventLog, as_of: date | None) -> datetime:
    last = close_of_day(log.last)
    if as_of is None:
        return last
    if close_of_day(as_of) < log.first:
        raise DataError(
            f"as of {as_of} there are no events yet: the first is of {log.first:%Y-%m-%d}. "
            f"Give an as-of date between it and {log.last:%Y-%m-%d}."
        )
    return min(close_of_day(as_of), last)


def _latest(
    use_case: UseCase, offline: OfflineStore, events: Mapping[str, Path], instant: datetime
) -> pa.Table:
    spine = offline.spine(use_case, events[use_case.label.source], [instant])
    table = offline.features(use_case, events, spine)
    return table.select([use_case.entity.key, *use_case.feature_names])


def _write(table: pa.Table, path: Path) -> None:
    import pyarrow.parquet as pq

    pq.write_table(table, path, compression="zstd")


def _materialise(use_case: UseCase, receipt: FeatureStoreReceipt, file: Path, online: OnlineStore) -> None:
    """Bring the online store to the receipt's values, but never back to an earlier instant."""
    name = use_case.online_name
    state = online.state(name)
    if state is not None and state.as_of > receipt.as_of:
        _LOG.info(
            "feature_store: online values stay as of %s; this run only knows %s",
            f"{state.as_of:%Y-%m-%d}",
            f"{receipt.as_of:%Y-%m-%d}",
        )
    elif state is None or (state.as_of, state.digest) != (receipt.as_of, receipt.online_digest):
        import pyarrow.parquet as pq

        online.write(name, pq.read_table(file), use_case.entity.key, receipt.as_of)
