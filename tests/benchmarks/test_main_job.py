"""The main benchmark: what it compares does the same work, what it measures and how it says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pytest
from prefect import Task

from benchmarks import bare_flow, engines, main_job
from benchmarks.processes import Bench, Cost, Row
from mlops_core.adapters.feature_store.duckdb import DuckDBOfflineStore
from mlops_core.domain.snapshots import Snapshots
from mlops_core.pipeline import build_pipeline
from mlops_core.settings import Settings
from mlops_core.usecases.churn import CHURN
from mlops_core.wiring import ConfiguredEngines

if TYPE_CHECKING:
    from pathlib import Path


def test_the_bare_flow_has_the_tasks_and_dependencies_of_the_pipeline(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Submitted tasks and what each is given are the nodes and edges of the DAG."""
    edges: dict[str, tuple[str, ...]] = {}

    class Submitted(str):
        def wait(self) -> None: ...

    def submit(task: Task[..., Any], *upstream: str) -> Submitted:
        edges[task.name] = tuple(upstream)
        return Submitted(task.name)

    monkeypatch.setattr(Task, "submit", submit)
    bare_flow.bare.fn()
    dag = build_pipeline(CHURN, ConfiguredEngines(Settings(home=tmp_path)), data={})
    ours = {node.name: node.upstream for node in dag}
    assert edges == {_short(name): tuple(map(_short, upstream)) for name, upstream in ours.items()}


def _short(name: str) -> str:
    return name.removeprefix("model_training.")


@pytest.mark.live
def test_the_engines_compute_the_rows_that_the_offline_store_does(tmp_path: Path) -> None:
    """Features and labels of every customer at every snapshot are equal, and split at the same months."""
    (source,) = CHURN.sources
    assert source.path is not None
    with duckdb.connect(":memory:") as connection:
        events, first, last = engines.store_events(connection, tmp_path / "theirs.parquet")
        snapshots = Snapshots.monthly(
            first=first, as_of=last, horizon=CHURN.label.horizon, history=CHURN.spine.history
        )
        theirs = engines.rows_at(connection, events, snapshots.all)
    store, file = DuckDBOfflineStore(), tmp_path / "ours.parquet"
    store.ingest(CHURN, source, source.path, file)
    spine = store.spine(CHURN, file, snapshots.all)
    ours = store.features(CHURN, {source.name: file}, spine)
    ours = ours.append_column("label", store.labels(CHURN, file, spine)[CHURN.label.name])
    assert theirs["k0"].equals(ours["customer_id"])
    for name in CHURN.feature_names:
        np.testing.assert_array_equal(theirs[name].to_numpy(), ours[name].cast("float64").to_numpy())
    np.testing.assert_array_equal(theirs[CHURN.label.name].to_numpy(), ours["label"].to_numpy())
    moments = np.asarray(ours["event_timestamp"].to_pylist())
    expected = {
        "fit": moments <= snapshots.fit[-1],
        "validation": moments == snapshots.validation,
        "training": moments <= snapshots.validation,
        "evaluation": moments == snapshots.evaluation,
    }
    sizes = {name: len(rows) for name, (rows, _) in engines.split(theirs, snapshots).items()}
    assert sizes == {name: int(mask.sum()) for name, mask in expected.items()}


def test_a_cost_holds_the_work_of_children(tmp_path: Path) -> None:
    """What a process's own child works is counted as its work."""
    child = "import time\nwhile time.process_time() < 0.3: pass"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}], check=True)"
    assert Bench(tmp_path).python(["-c", parent], {}).cpu > 0.3


def test_a_process_that_fails_ends_the_benchmark_with_what_it_said(tmp_path: Path) -> None:
    """A figure of a run that did not finish would be none."""
    with pytest.raises(SystemExit, match="no such luck"):
        Bench(tmp_path).python(["-c", "raise SystemExit('no such luck')"], {})


def test_a_second_run_finds_what_the_first_stored(tmp_path: Path) -> None:
    """Rows of one state share a folder; a first one finds it empty, a second alone has one run before it."""
    bench = Bench(tmp_path)
    script = tmp_path / "append.py"
    script.write_text(
        "import os, pathlib\n"
        "file = pathlib.Path(os.environ['MLOPS_HOME'], 'runs')\n"
        "file.write_text(file.read_text() + 'x' if file.exists() else 'x')\n"
        "print(file.read_text())\n"
    )
    first = Row("a-first", (str(script),), "a", first=True)
    said = []
    for row in (first._replace(first=False), first, first, first._replace(first=False)):
        bench.run(row)
        said.append(bench.output().strip())
    assert said == ["xx", "x", "x", "xx"]


def test_a_run_knows_nothing_of_the_settings_around_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Variables of Prefect, MLflow and this project, and the one that forbids bytecode, stay outside."""
    for name in ("PREFECT_API_URL", "MLOPS_TRACKING_URI", "MLFLOW_TRACKING_URI", "PYTHONDONTWRITEBYTECODE"):
        monkeypatch.setenv(name, "1")
    bench = Bench(tmp_path)
    bench.python(["-c", "import os; print(*os.environ)"], {"MLOPS_HOME": "here"})
    assert {"MLOPS_HOME", "DO_NOT_TRACK"} <= set(bench.output().split())
    assert not {"PREFECT_API_URL", "MLOPS_TRACKING_URI", "PYTHONDONTWRITEBYTECODE"} & set(
        bench.output().split()
    )


def test_the_tables_show_medians_ranges_and_ratios_of_a_round() -> None:
    """A ratio is made within each round; one whose rows were not measured is left out."""
    costs = {
        "bare": [Cost(4, 2), Cost(2, 2), Cost(8, 2)],
        "flow-second": [Cost(4, 3), Cost(4, 3), Cost(8, 3)],
    }
    assert list(main_job.cost_table(costs))[2:] == [
        "| bare | 4.00 | 2.00, 8.00 | 2.00 | 2.00, 2.00 |",
        "| flow-second | 4.00 | 4.00, 8.00 | 3.00 | 3.00, 3.00 |",
    ]
    assert list(main_job.ratio_table(costs))[2:] == [
        "| flow-second / bare | ≤ 1.15 | 1.000 | 1.000, 2.000 | 1.500 | 1.500, 1.500 |",
    ]


def test_a_first_run_is_measured_beyond_the_bare_flow() -> None:
    """(22 - 4) s on top of the bare flow are 1.5 times the engines' 12 s."""
    ratio = next(one for one in main_job.RATIOS if one.rows == ("flow-first", "bare", "engines"))
    assert ratio.of(22, 4, 12) == 1.5
    assert str(ratio) == "(flow-first - bare) / engines"


def test_every_ratio_is_of_rows_that_are_measured() -> None:
    """A misspelt row would be left out without a word."""
    assert {key for ratio in main_job.RATIOS for key in ratio.rows} <= {row.key for row in main_job.ROWS}
