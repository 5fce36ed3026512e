"""The benchmark of point-in-time joins, tiny: contenders agree, and a planted leak shows where it must."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from benchmarks import leak, point_in_time, point_in_time_contenders
from benchmarks.point_in_time_data import TASKS, make
from benchmarks.point_in_time_sample import check_sample

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("task", TASKS)
def test_every_contender_has_our_result(tmp_path: Path, task: str) -> None:
    """Late rows, unknown entities and windows included; a contender that is not installed is left out."""
    make(tmp_path, asked=300, rows=3_000)
    point_in_time_contenders.measured("ingest", task, tmp_path)
    for name in point_in_time.contenders_of(task, None, dask=False):
        if name.startswith("polars"):
            pytest.importorskip("polars")
        assert point_in_time_contenders.measured(name, task, tmp_path)["cpu"] > 0
        point_in_time.compare(name, task, tmp_path)
    values = np.load(tmp_path / f"result-ours-{task}.npy")
    assert values.shape == (300, 10)
    if task == "windows":
        check_sample(values, tmp_path)
        with pytest.raises(SystemExit, match="of the result is wrong"):
            check_sample(values + 1, tmp_path)
    assert 0 < np.isnan(values[:, 2 if task == "windows" else 0]).sum() < 200


def test_a_contender_that_differs_ends_the_benchmark(tmp_path: Path) -> None:
    """A time for another answer would be none."""
    np.save(tmp_path / "result-ours-latest.npy", np.array([[1.0, np.nan]]))
    np.save(tmp_path / "result-polars-latest.npy", np.array([[1.0, 0.0]]))
    with pytest.raises(SystemExit, match="polars differs from ours at latest in 1 values"):
        point_in_time.compare("polars", "latest", tmp_path)


def test_the_tables_compare_medians_with_what_is_wanted() -> None:
    """Ours over the fastest for latest values, others over ours for the rest."""
    costs = {
        ("latest", name): [{"wall": wall, "cpu": 2 * wall, "peak": 100.0}] * 2
        for name, wall in (("ours", 1.0), ("duckdb", 4.0), ("polars", 2.0), ("feast-duckdb", 12.0))
    } | {
        ("windows", name): [{"wall": wall, "cpu": wall, "peak": 9.0}]
        for name, wall in (("ours", 1), ("pandas", 7))
    }
    assert list(point_in_time.verdict_table(costs))[2:] == [
        "| latest: ours / fastest ≤ 1.1 | 0.50 | 0.50 |",
        "| latest: feast-duckdb / ours ≥ 10 | 12.0 | 12.0 |",
        "| windows: pandas / ours ≥ 5 | 7.0 | 7.0 |",
    ]
    assert "| latest | polars | 2.00 | 2.00, 2.00 | 4.00 | 4.00, 4.00 | 100 | 2.00 |" in list(
        point_in_time.cost_table(costs)
    )


@pytest.mark.live
def test_the_benchmark_runs_every_contender_in_a_process_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From making the data to the tables."""
    pytest.importorskip("polars")
    point_in_time.main(["--size", "tiny", "--rounds", "1", "--keep", str(tmp_path)])
    said = capsys.readouterr().out
    assert all(f"| {task} | {name} |" in said for task in TASKS for name in ("ingest", "ours", "pandas"))
    point_in_time.main(["--size", "tiny", "--large", "--keep", str(tmp_path)])
    assert "| ours-4GB |" in capsys.readouterr().out


def test_rows_rewritten_with_hindsight_inflate_joins_on_event_time_alone(tmp_path: Path) -> None:
    """Training sees the outcome and serving does not; what was known has no part of it."""
    without, event, known = leak.areas(tmp_path, one_in=12)
    assert event.offline - without.offline > 0.1
    assert event.served < without.served - 0.1
    assert abs(known.offline - without.offline) < 0.01
    assert known.served == known.offline
