"""The work of a first churn delivery done by DuckDB, scikit-learn, skops and MLflow, each called directly.

`python benchmarks/engines.py FOLDER` leaves its files in FOLDER and prints how long each step took;
`benchmarks/main_job.py` takes the whole process as what the engines themselves need. Of this project it has
the text of the queries, the snapshots and the candidates' estimators, so that the work is the same (a test
compares the rows), but no stage, DAG, receipt or adapter. It contains

- reading the purchases, writing them sorted as Parquet, the latest features of every customer into SQLite;
- features and labels of every customer at every snapshot, written as Parquet and read back;
- each candidate fitted on the fit rows, asked about validation and fitted again on all training rows: in two
  threads with one engine thread each, the fastest way on two processors; dumped and loaded with skops;
- predictions of both on the evaluation rows;
- on a new SQLite store, through MLflow's own calls: experiment, run, parameters, a metric,
  `mlflow.sklearn.log_model` with signature, requirements and skops, the registered version, two aliases.

It leaves out what is this project's own: checks of the data, digests, locks and syncs, thresholds, metrics
with bootstrap intervals, importances, the report, the gate, the release and its proof.
"""

from __future__ import annotations

import sqlite3
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

import duckdb
import mlflow.sklearn
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import skops.io
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema, TensorSpec
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

from mlops_core.adapters.feature_store.duckdb_dialect import DuckDBDialect
from mlops_core.adapters.feature_store.sql import queries
from mlops_core.adapters.feature_store.sql.events import EventColumn, Events
from mlops_core.adapters.trainer.estimators import estimator_for
from mlops_core.domain.snapshots import Snapshots
from mlops_core.domain.time import close_of_day
from mlops_core.usecases.churn import CHURN

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from mlops_core.domain.candidates import AnyCandidate

__all__ = ["deliver", "rows_at", "store_events"]

NAMES = CHURN.feature_names
TRUSTED = ["numpy.dtype", "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"]
REQUIREMENTS = ["mlflow-skinny", "numpy", "pandas", "scikit-learn", "skops"]


def deliver(folder: Path, step: Callable[[str], None]) -> dict[str, float]:
    """Do all of it in an empty folder; returns ROC AUC on the evaluation rows by candidate."""
    with duckdb.connect(":memory:") as connection:
        events, first, last = store_events(connection, folder / "events.parquet")
        write_online(rows_at(connection, events, [last]), folder / "online.db")
        step("events and online values")
        snapshots = Snapshots.monthly(
            first=first, as_of=last, horizon=CHURN.label.horizon, history=CHURN.spine.history
        )
        table = rows_at(connection, events, snapshots.all)
    pq.write_table(table, folder / "rows.parquet", compression="zstd")
    parts = split(pq.read_table(folder / "rows.parquet"), snapshots)
    step("features and labels")
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(len(CHURN.candidates)) as pool:
        fitted = list(pool.map(partial(train, parts=parts, folder=folder), CHURN.candidates))
    step("training")
    rows, labels = parts["evaluation"]
    scores = [skops.io.load(file, trusted=TRUSTED).predict_proba(rows)[:, 1] for file in fitted]
    areas = [float(roc_auc_score(labels, one)) for one in scores]
    step("evaluation")
    best = areas.index(max(areas))
    register(skops.io.load(fitted[best], trusted=TRUSTED), CHURN.candidates[best], areas[best], folder)
    step("registry")
    return {one.name: area for one, area in zip(CHURN.candidates, areas, strict=True)}


def store_events(connection: duckdb.DuckDBPyConnection, file: Path) -> tuple[Events, datetime, datetime]:
    """Write the purchases sorted, days as their last microsecond; returns them, and the first and last."""
    connection.execute("SET TimeZone = 'UTC'")
    purchases = connection.read_parquet(str(CHURN.sources[0].path)).project(
        "customer_id::BIGINT AS k0, epoch_us(purchased_on + 1) - 1 AS t, cds::BIGINT AS cds, usd"
    )
    purchases.order("k0, t, cds, usd").write_parquet(str(file), compression="zstd")
    columns = {
        "purchased_on": EventColumn(name="t", kind="integer"),
        "cds": EventColumn(name="cds", kind="integer"),
        "usd": EventColumn(name="usd", kind="decimal", digits=8, scale=2),
    }
    events = Events(relation=f"read_parquet('{file}')", columns=columns)
    span = connection.read_parquet(str(file)).aggregate("make_timestamptz(min(t)), make_timestamptz(max(t))")
    ((first, last),) = span.fetchall()
    return events, first, close_of_day(last)


def rows_at(connection: duckdb.DuckDBPyConnection, events: Events, moments: Sequence[datetime]) -> pa.Table:
    """Key `k0`, `moment` in microseconds, features and label of everyone seen by each moment."""
    given = pa.table({"moment": pa.array(moments, pa.timestamp("us", "UTC")).cast(pa.int64())})
    connection.register("moments", given)
    spine = connection.sql(queries.spine_query(events)).to_arrow_table()
    spine = spine.append_column("row_id", pa.array(np.arange(len(spine))))
    connection.register("spine", spine)
    features = [feature for view in CHURN.views for feature in view.features]
    found = connection.sql(queries.features_query(events, features, DuckDBDialect())).to_arrow_table()
    labels = connection.sql(queries.labels_query(events, CHURN.label.horizon)).to_arrow_table()
    table = spine.drop_columns("row_id")
    for number, name in enumerate(NAMES):
        table = table.append_column(name, found[f"f{number}"].cast(pa.float64()))
    return table.append_column(CHURN.label.name, labels["label"])


def write_online(table: pa.Table, file: Path) -> None:
    """The latest features of every customer, one row each, in one transaction."""
    columns = [table[name].to_pylist() for name in ("k0", *NAMES)]
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(f"CREATE TABLE online (k0 INTEGER PRIMARY KEY, {', '.join(NAMES)})")
        with connection:
            places = ", ".join("?" * len(columns))
            connection.executemany(
                f"INSERT INTO online VALUES ({places})",  # noqa: S608 - question marks
                zip(*columns, strict=True),
            )


def split(table: pa.Table, snapshots: Snapshots) -> dict[str, tuple[NDArray[Any], NDArray[Any]]]:
    """Rows and labels of each part; `training` is all but the evaluation rows."""
    rows = np.column_stack([table[name].to_numpy() for name in NAMES])
    labels, moments = table[CHURN.label.name].to_numpy(), table["moment"].to_numpy()
    last, validation = (
        int(one.timestamp()) * 1_000_000 + 999_999 for one in (snapshots.fit[-1], snapshots.validation)
    )
    picked = {"fit": moments <= last, "validation": moments == validation}
    picked |= {"training": moments <= validation, "evaluation": moments > validation}
    return {name: (rows[mask], labels[mask]) for name, mask in picked.items()}


def train(candidate: AnyCandidate, parts: dict[str, Any], folder: Path) -> Path:
    """Fit, ask about validation, fit on everything; returns the dumped model."""
    file = folder / f"{candidate.name}.skops"
    with threadpool_limits(1, "openmp"):  # which counts for the calling thread, unlike that of BLAS
        estimator_for(candidate).fit(*parts["fit"]).predict_proba(parts["validation"][0])
        skops.io.dump(estimator_for(candidate).fit(*parts["training"]), file)
    return file


def register(model: Any, candidate: AnyCandidate, area: float, folder: Path) -> None:
    """Run, logged model and a version with two aliases, on a SQLite store that MLflow makes."""
    mlflow.set_tracking_uri(f"sqlite:///{folder / 'mlflow.db'}")
    experiment = mlflow.create_experiment(CHURN.name, artifact_location=(folder / "artifacts").as_uri())
    signature = ModelSignature(
        inputs=Schema([ColSpec(DataType.double, name) for name in NAMES]),
        outputs=Schema([TensorSpec(np.dtype(np.float64), (-1, 2))]),
    )
    with mlflow.start_run(experiment_id=experiment, run_name=candidate.name):
        mlflow.log_params(candidate.model_dump(mode="json"))
        mlflow.log_metric("roc_auc", area)
        logged = mlflow.sklearn.log_model(
            model,
            name=candidate.name,
            registered_model_name=CHURN.name,
            signature=signature,
            pip_requirements=REQUIREMENTS,
            serialization_format="skops",
            skops_trusted_types=TRUSTED,
            pyfunc_predict_fn="predict_proba",
        )
    client = mlflow.MlflowClient()
    for alias in ("staging", "production"):
        client.set_registered_model_alias(CHURN.name, alias, str(logged.registered_model_version))


class Steps:
    """Prints what every step took, the imports first: they are what the process has done by then."""

    def __init__(self) -> None:
        print(f"imports: {process_time():.2f} s of processor")
        self._last = perf_counter(), process_time()

    def __call__(self, name: str) -> None:
        """The step `name` is over."""
        now = perf_counter(), process_time()
        wall, work = (after - before for before, after in zip(self._last, now, strict=True))
        print(f"{name}: {wall:.2f} s, {work:.2f} s of processor")
        self._last = now


if __name__ == "__main__":
    print(deliver(Path(sys.argv[1]).absolute(), Steps()))
