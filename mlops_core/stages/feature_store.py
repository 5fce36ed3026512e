"""Refresh the feature store: validated events offline, the latest values online."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from mlops_core.domain.digest import digest_table
from mlops_core.domain.inputs import Inputs
from mlops_core.domain.receipts import EventLog, FeatureStoreReceipt, Ref
from mlops_core.domain.time import close_of_day
from mlops_core.domain.usecase import UseCase
from mlops_core.errors import DataError, MlopsError
from mlops_core.history import EventHistory
from mlops_core.online_parity import expected_values, known_at
from mlops_core.progress import tell, within
from mlops_core.provenance import libraries

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime
    from pathlib import Path

    import pyarrow as pa

    from mlops_core.domain.history import HistoryVersion
    from mlops_core.domain.sources import Data
    from mlops_core.ports import Engines

__all__ = [
    "STAGE",
    "brought_in",
    "event_logs",
    "feature_store",
    "feature_store_inputs",
    "knowledge",
    "materialised",
    "served_otherwise",
]

STAGE = "feature_store"
_ONLINE = "online.parquet"
_LOG = logging.getLogger(__name__)


def feature_store(
    use_case: UseCase,
    data: Mapping[str, Data],
    as_of: date | None,
    *,
    engines: Engines,
    quarantine: Path | None = None,
) -> FeatureStoreReceipt:
    """Store the events of every source and bring online values to the close of `as_of`.

    `data` are the events by source name; a source that appends may be left out and stays as it is. `as_of` is
    what the run may know: None, or a day after the last event, means the day of the last event, since nothing
    says that the days after it were quiet; with an earlier day, nothing recorded after it is known.
    Rows that break rules go to the folder `quarantine` when there is one (`<source>.parquet`). Raises
    `DataError` for rows that break the contract, `NotFound` for missing data; the store is then as it was.
    """
    versions = brought_in(use_case, data, engines=engines, quarantine=quarantine)
    _keep_served(use_case, data, as_of, engines)  # first: what is noted of the stage last is its own use
    return materialised(use_case, versions, as_of, engines=engines)


def brought_in(
    use_case: UseCase, data: Mapping[str, Data], *, engines: Engines, quarantine: Path | None = None
) -> dict[str, HistoryVersion]:
    """Store the events of every source, and nothing else; see `feature_store`."""
    history = EventHistory(use_case, engines)
    versions: dict[str, HistoryVersion] = {}
    share = 0.6 / len(use_case.sources)  # of the stage; the rest makes online values
    for number, source in enumerate(use_case.sources):
        with within(number * share, (number + 1) * share):
            versions[source.name] = history.bring_in(
                source,
                data.get(source.name),
                quarantine=quarantine / f"{source.name}.parquet" if quarantine else None,
            )
    return versions


def feature_store_inputs(
    use_case: UseCase, versions: Mapping[str, HistoryVersion], as_of: date | None, *, engines: Engines
) -> Inputs:
    """What decides the online values: these versions of the events, and the day."""
    return Inputs(
        stage=STAGE,
        use_case=use_case.name,
        data={name: version.digest for name, version in versions.items()},
        definitions=use_case.training_parts,
        parameters={"as_of": as_of.isoformat() if as_of else None},
        code=dict(engines.code.parts(STAGE)),
        libraries=libraries(),
    )


def materialised(
    use_case: UseCase,
    versions: Mapping[str, HistoryVersion],
    as_of: date | None,
    *,
    engines: Engines,
    serve: bool = True,
) -> FeatureStoreReceipt:
    """Bring online values to the close of `as_of`, from these versions of the events.

    Without `serve` they are made, and what callers read stays as it is: for runs about the past.
    """
    workspace = engines.workspace
    inputs = feature_store_inputs(use_case, versions, as_of, engines=engines)
    instant, known = knowledge(versions[use_case.label.source], as_of)

    def make(folder: Path) -> FeatureStoreReceipt:
        files = {name: workspace.path(version.uri) for name, version in versions.items()}
        with within(0.6, 0.8):
            values = expected_values(
                use_case, engines.offline, files, instant, as_known_at=known, sample=None
            )
        _write(values, folder / _ONLINE)
        return FeatureStoreReceipt(
            events=event_logs(versions),
            as_of=instant,
            as_known_at=known,
            online_rows=values.num_rows,
            online_digest=digest_table(values),
        )

    receipt = workspace.produce(inputs, FeatureStoreReceipt, make)
    if serve:
        _serve(use_case, receipt, workspace.path(workspace.placed(inputs, _ONLINE)), engines)
    return receipt


def _keep_served(use_case: UseCase, data: Mapping[str, Data], as_of: date | None, engines: Engines) -> None:
    """Refresh the values that the release reads which serves now, where its definitions are other ones.

    It goes on serving while changed definitions are still being tried. What hinders this is said, not raised.
    """
    try:
        theirs = served_otherwise(use_case, engines)
        if theirs is not None:
            versions = brought_in(theirs, data, engines=engines)
            materialised(theirs, versions, as_of, engines=engines)
    except MlopsError as error:
        _LOG.warning("feature_store: the values that the release reads could not be refreshed: %s", error)


def event_logs(versions: Mapping[str, HistoryVersion]) -> dict[str, EventLog]:
    """The events of every source as a receipt has them."""
    return {
        name: EventLog(
            ref=Ref(uri=version.uri, digest=version.digest),
            rows=version.rows,
            entities=version.entities,
            first=version.first,
            last=version.last,
        )
        for name, version in versions.items()
    }


def served_otherwise(use_case: UseCase, engines: Engines) -> UseCase | None:
    """The definitions of the release that serves now, where they read other online values; else None."""
    release = engines.deployer.current(use_case.name)
    if release is None:
        return None
    theirs = UseCase.stored(release.use_case, "the release that serves")
    return theirs if theirs.online_name != use_case.online_name else None


def knowledge(version: HistoryVersion, as_of: date | None) -> tuple[datetime, datetime | None]:
    """As of when, and as known when, a run knows the events; `version` is that of the label's source.

    Raises `DataError` for a day before the first event.
    """
    last = close_of_day(version.last)
    if as_of is not None and close_of_day(as_of) < version.first:
        raise DataError(
            f"as of {as_of} there are no events yet: the first is of {version.first:%Y-%m-%d}. "
            f"Give an as-of date between it and {version.last:%Y-%m-%d}."
        )
    instant = last if as_of is None else min(close_of_day(as_of), last)
    return instant, known_at(instant, version.last)


def _write(table: pa.Table, path: Path) -> None:
    import pyarrow.parquet as pq

    pq.write_table(table, path, compression="zstd")


def _serve(use_case: UseCase, receipt: FeatureStoreReceipt, file: Path, engines: Engines) -> None:
    """Bring the online store to the receipt's values, but never back to an earlier instant."""
    name, online = use_case.online_name, engines.online
    state = online.state(name)
    if state is None or (state.as_of, state.digest) != (receipt.as_of, receipt.online_digest):
        import pyarrow.parquet as pq

        tell(f"writing {receipt.online_rows:,} entities to the online store", 0.8)
        state = online.write(name, pq.read_table(file), use_case.entity.keys, receipt.as_of)
    if state.as_of > receipt.as_of:
        _LOG.info(
            "feature_store: online values stay as of %s; this run only knows %s",
            f"{state.as_of:%Y-%m-%d}",
            f"{receipt.as_of:%Y-%m-%d}",
        )
