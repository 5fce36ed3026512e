"""A planted leak: what rows rewritten with hindsight do to a model, and what visibility does about it.

`python -m benchmarks.leak` takes the bundled purchases of CDNOW and adds a source of risk scores. A score is
given on the eve of every snapshot and says nothing (noise). When the outcome is known, a week after the
label's horizon, it is written again under its old event timestamp, this time with the outcome in it: only
the created timestamp tells. Such restatements are common where a nightly job writes over its history.

A model is fitted on the training snapshots and evaluated on the last one, three times: without the score;
with joins on event time alone (`visibility="event"`), and with joins on what was known (`"known"`, the
default). "Offline" is the ROC AUC that its author sees, by the same joins. "As served" has the same model on
the values that were known at the snapshot, which is all that a prediction can be made from.
"""

from __future__ import annotations

import os
import platform
import tempfile
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

from mlops_core.adapters.feature_store.duckdb import DuckDBOfflineStore
from mlops_core.definitions import EventSource, FeatureView, Latest, UseCase
from mlops_core.domain.snapshots import Snapshots
from mlops_core.domain.time import close_of_day
from mlops_core.usecases.churn import CHURN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Areas", "areas"]

_LATE = timedelta(days=7)  # after the outcome is known
_EVE = timedelta(days=1)
_NOISE = 0.5  # standard deviations beside an outcome of 0 or 1


class Areas(NamedTuple):
    """ROC AUC of one way to join."""

    joins: str
    offline: float
    served: float


def areas(folder: Path, *, one_in: int = 1) -> list[Areas]:
    """The three ways, by purchases of one customer in `one_in`; files are written to `folder`."""
    spine, labels, snapshots, events = _asked(folder, one_in)
    events |= {"scores": _scores(folder, spine, labels)}
    moments = pc.cast(spine["event_timestamp"], pa.int64()).to_numpy()
    last = moments == int(snapshots.evaluation.timestamp()) * 1_000_000 + snapshots.evaluation.microsecond
    fit = moments <= int(snapshots.fit[-1].timestamp()) * 1_000_000 + snapshots.fit[-1].microsecond
    known = _matrix(_use_case("known"), events, spine, (*_NAMES, "score"))
    found = []
    for joins in ("without the score", "event", "known"):
        rows = known if joins != "event" else _matrix(_use_case("event"), events, spine, (*_NAMES, "score"))
        width = len(_NAMES) if joins == "without the score" else len(_NAMES) + 1
        with threadpool_limits(1, "openmp"):  # on a busy machine its threads wait for each other
            model = HistGradientBoostingClassifier(random_state=0).fit(rows[fit, :width], labels[fit])
        offline, served = (
            float(roc_auc_score(labels[last], model.predict_proba(one[last, :width])[:, 1]))
            for one in (rows, known)
        )
        found.append(Areas(joins, offline, served))
    return found


_NAMES = CHURN.feature_names


def _asked(folder: Path, one_in: int) -> tuple[pa.Table, NDArray[np.int8], Snapshots, dict[str, Path]]:
    """The spine of all snapshots, its labels, and the ingested purchases."""
    (source,) = CHURN.sources
    purchases = pq.read_table(str(source.path))
    keys = purchases["customer_id"].to_numpy()
    pq.write_table(purchases.filter(pa.array(keys % one_in == 0)), folder / "purchases.parquet")
    store, file = DuckDBOfflineStore(), folder / "events.parquet"
    store.ingest(CHURN, source, folder / "purchases.parquet", file)
    times = pc.min_max(pq.read_table(file, columns=["purchased_on"])["purchased_on"]).as_py()
    snapshots = Snapshots.monthly(
        first=times["min"],
        as_of=close_of_day(times["max"]),
        horizon=CHURN.label.horizon,
        history=CHURN.spine.history,
    )
    spine = store.spine(CHURN, file, snapshots.all)
    labels = store.labels(CHURN, file, spine)[CHURN.label.name].to_numpy()
    return spine, labels, snapshots, {source.name: file}


def _scores(folder: Path, spine: pa.Table, labels: NDArray[np.int8]) -> Path:
    """A score on the eve of each snapshot, and the same again with hindsight; ingested."""
    random = np.random.default_rng(0)
    at = pc.subtract(spine["event_timestamp"], pa.scalar(_EVE))
    outcome = pc.add(spine["event_timestamp"], pa.scalar(CHURN.label.horizon + _LATE))
    noise, hindsight = random.normal(0.5, 0.7, len(labels)), labels + random.normal(0, _NOISE, len(labels))
    rows = [
        pa.table({"customer_id": spine["customer_id"], "at": at, "recorded": recorded, "score": score})
        for recorded, score in ((at, noise), (outcome, hindsight))
    ]
    pq.write_table(pa.concat_tables(rows), folder / "scores.parquet")
    use_case, file = _use_case("known"), folder / "scores-events.parquet"
    DuckDBOfflineStore().ingest(use_case, use_case.source("scores"), folder / "scores.parquet", file)
    return file


def _use_case(visibility: str) -> UseCase:
    """Churn with the score beside its features."""
    scores = EventSource(name="scores", event_timestamp="at", created_timestamp="recorded")
    view = {"name": "risk", "source": "scores", "features": (Latest("score"),), "visibility": visibility}
    fields = dict(CHURN) | {
        "sources": (*CHURN.sources, scores),
        "views": (*CHURN.views, FeatureView.model_validate(view)),
    }
    return UseCase(**fields)


def _matrix(
    use_case: UseCase, events: dict[str, Path], spine: pa.Table, names: Sequence[str]
) -> NDArray[np.float64]:
    table = DuckDBOfflineStore().features(use_case, events, spine)
    columns = [pc.fill_null(pc.cast(table[name], pa.float64()), float("nan")) for name in names]
    return np.column_stack([column.to_numpy() for column in columns])


def main() -> None:
    """Print the table as Markdown."""
    libraries = ", ".join(f"{name} {version(name)}" for name in ("scikit-learn", "duckdb", "pyarrow"))
    machine = f"{os.cpu_count()} processors, {platform.machine()}, Python {platform.python_version()}"
    print(f"Machine: {machine}, {libraries}")
    print("Command: `python -m benchmarks.leak`\n")
    print("| joins | ROC AUC offline | as served | offline minus without the score |")
    print("| --- | --: | --: | --: |")
    with tempfile.TemporaryDirectory(prefix="leak-") as folder:
        found = areas(Path(folder))
    for one in found:
        gain = one.offline - found[0].offline
        print(f"| {one.joins} | {one.offline:.4f} | {one.served:.4f} | {gain:+.4f} |")


if __name__ == "__main__":
    main()
