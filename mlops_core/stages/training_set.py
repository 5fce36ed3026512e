"""Make the training set: who, when, what was known then, and what happened after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_core.domain.digest import digest_table
from mlops_core.domain.inputs import Inputs
from mlops_core.domain.receipts import Ref, Split, TrainingSetReceipt
from mlops_core.domain.snapshots import Snapshots
from mlops_core.errors import DataError
from mlops_core.point_in_time import historical_features
from mlops_core.progress import tell, within
from mlops_core.provenance import libraries

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    import pyarrow as pa

    from mlops_core.domain.receipts import FeatureStoreReceipt
    from mlops_core.domain.usecase import UseCase
    from mlops_core.ports import ComputingEngines

__all__ = ["STAGE", "snapshots_of", "training_set", "training_set_inputs"]

STAGE = "training_set"
_FILE = "rows.parquet"


def training_set(
    use_case: UseCase, events: FeatureStoreReceipt, *, engines: ComputingEngines
) -> TrainingSetReceipt:
    """Join features and labels to every (entity, snapshot) and split them by time.

    Raises `DataError` when history is too short, or when all labels of a split are the same.
    """
    workspace = engines.workspace
    inputs = training_set_inputs(use_case, events, engines=engines)

    def make(folder: Path) -> TrainingSetReceipt:
        snapshots = snapshots_of(use_case, events)
        files = {name: workspace.path(log.ref.uri) for name, log in events.events.items()}
        source, offline, known = files[use_case.label.source], engines.offline, events.as_known_at
        tell(f"finding the entities of {len(snapshots.all)} snapshots", 0.0)
        spine = offline.spine(use_case, source, snapshots.all, as_known_at=known)
        with within(0.1, 0.7):
            table = historical_features(use_case, offline, files, spine, as_known_at=known)
        tell(f"reading labels of {spine.num_rows:,} rows", 0.7)
        labels = offline.labels(use_case, source, spine, as_known_at=known)
        table = table.append_column(use_case.label.name, labels[use_case.label.name])
        tell(f"writing {spine.num_rows:,} rows", 0.85)
        uri = workspace.placed(inputs, _FILE)
        return _store(use_case, _with_split(table, snapshots), snapshots, folder / _FILE, uri)

    return workspace.produce(inputs, TrainingSetReceipt, make)


def snapshots_of(use_case: UseCase, events: FeatureStoreReceipt) -> Snapshots:
    """When the rows look at the events. Raises `DataError` when history is too short."""
    return Snapshots.monthly(
        first=events.events[use_case.label.source].first,
        as_of=events.as_of,
        horizon=use_case.label.horizon,
        history=use_case.spine.history,
    )


def training_set_inputs(
    use_case: UseCase, events: FeatureStoreReceipt, *, engines: ComputingEngines
) -> Inputs:
    """What decides the rows: events, what may be known of them, and the definitions."""
    return Inputs(
        stage=STAGE,
        use_case=use_case.name,
        data={name: log.ref.digest for name, log in events.events.items()},
        definitions=use_case.training_parts,
        parameters=events.knowledge,
        code=dict(engines.code.parts(STAGE)),
        libraries=libraries(),
    )


def _with_split(table: pa.Table, snapshots: Snapshots) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    names = dict.fromkeys(snapshots.fit, "fit")
    names |= dict.fromkeys(snapshots.embargo, "embargo")
    names |= {snapshots.validation: "validation", snapshots.evaluation: "evaluation"}
    column = table["event_timestamp"]
    instants = pa.array(list(names), column.type)
    positions = pc.index_in(column, value_set=instants)
    return table.append_column("split", pa.array(list(names.values())).take(positions.combine_chunks()))


def _store(
    use_case: UseCase, table: pa.Table, snapshots: Snapshots, file: Path, uri: str
) -> TrainingSetReceipt:
    import pyarrow.parquet as pq

    label = use_case.label.name
    receipt = TrainingSetReceipt(
        ref=Ref(uri=uri, digest=digest_table(table)),
        feature_names=use_case.feature_names,
        fit=_split(table, label, "fit", snapshots.fit),
        embargo=_split(table, label, "embargo", snapshots.embargo),
        validation=_split(table, label, "validation", [snapshots.validation]),
        evaluation=_split(table, label, "evaluation", [snapshots.evaluation]),
    )
    pq.write_table(table, file, compression="zstd")
    return receipt


def _split(table: pa.Table, label: str, name: str, snapshots: Sequence[datetime]) -> Split:
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = table.filter(pc.equal(table["split"], name))
    if pa.types.is_floating(rows[label].type):
        _require_different(rows[label], label, name, snapshots)
        return Split(snapshots=tuple(snapshots), rows=rows.num_rows)
    positives = pc.sum(rows[label]).as_py() or 0
    if snapshots and positives in (0, rows.num_rows):
        raise DataError(
            f"all {rows.num_rows:,} rows of the {name} snapshots ({snapshots[0]:%Y-%m-%d} to "
            f"{snapshots[-1]:%Y-%m-%d}) have {label} = {int(positives > 0)}: nothing can be learnt or judged "
            "from one class. Check the label's horizon and that the events file holds the whole period."
        )
    return Split(snapshots=tuple(snapshots), rows=rows.num_rows, positives=positives)


def _require_different(labels: pa.ChunkedArray, name: str, split: str, snapshots: Sequence[datetime]) -> None:
    import pyarrow.compute as pc

    least, greatest = pc.min_max(labels).as_py().values()
    if snapshots and least == greatest:
        raise DataError(
            f"all {len(labels):,} rows of the {split} snapshots ({snapshots[0]:%Y-%m-%d} to "
            f"{snapshots[-1]:%Y-%m-%d}) have {name} = {least}: nothing can be learnt or judged from one "
            "number. Check the label's column and horizon, and that the events file holds the whole period."
        )
