"""What threads, Dask and Ray make of a backfill of four months, next to the in-process runner.

Run from the repository's root, where nothing else runs. Each figure is of whole processes from start to end,
children that were waited for included::

    python -m benchmarks.scaling                      # one round, four minutes
    python -m benchmarks.scaling --rounds 3 --only in-process threads-2 dask-2

- `in-process`: `build_backfill(…).execute(max_workers=2)`, without Prefect.
- `threads-N`, `dask-N`, `ray-N`: `python flows/backfill.py --task-runner … --workers N`; Dask and Ray with
  processes of their own on this machine, for the length of the run.
- `start-…`: `python flows/simulator.py`, whose tasks do nothing: what is more than with threads is the start
  and end of the cluster.

Each backfill runs twice: `first` with nothing stored, `second` the same again. The processor's time of Dask's
and Ray's workers is not counted in, since others than the measured process wait for them.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.processes import Bench, Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["ROWS", "in_process", "main", "table"]

DAYS = (date(1998, 3, 31), date(1998, 4, 30), date(1998, 5, 31), date(1998, 6, 30))
_LIBRARIES = ("prefect", "distributed", "ray", "duckdb", "scikit-learn")


def _backfill(key: str, runner: str, workers: int) -> list[Row]:
    days = ("--first", DAYS[0].isoformat(), "--last", DAYS[-1].isoformat())
    words = ("flows/backfill.py", *days, "--task-runner", runner, "--workers", str(workers))
    return [Row(f"{key} first", words, key, first=True), Row(f"{key} second", words, key)]


def _start(runner: str) -> Row:
    return Row(f"start-{runner}", ("flows/simulator.py", "--task-runner", runner, "--workers", "2"), "start")


_ALONE = ("-m", "benchmarks.scaling", "--in-process")
ROWS = (
    Row("in-process first", _ALONE, "in-process", first=True),
    Row("in-process second", _ALONE, "in-process"),
    *_backfill("threads-1", "threads", 1),
    *_backfill("threads-2", "threads", 2),
    *_backfill("threads-4", "threads", 4),
    *_backfill("dask-2", "dask", 2),
    *_backfill("ray-2", "ray", 2),
    _start("threads"),
    _start("dask"),
    _start("ray"),
)


def in_process() -> None:
    """The same backfill by the in-process runner."""
    from mlops_core.parameters import data_of
    from mlops_core.pipeline import build_backfill
    from mlops_core.settings import Settings
    from mlops_core.usecases.churn import CHURN
    from mlops_core.wiring import ConfiguredEngines

    dag = build_backfill(CHURN, ConfiguredEngines(Settings.load()), data=data_of(CHURN, {}), as_of=DAYS)
    results = dag.execute(max_workers=2)
    assert f"{DAYS[-1]}.model_evaluation" in results


def measure(bench: Bench, rows: Sequence[Row], rounds: int) -> dict[str, list[float]]:
    """Seconds by the clock, of each row in each round."""
    bench.run(_start("threads"))  # not counted: compiles
    seconds: dict[str, list[float]] = {row.key: [] for row in rows}
    for number in range(rounds):
        for row in rows:
            seconds[row.key].append(bench.run(row).wall)
            print(f"round {number + 1}: {row.key} {seconds[row.key][-1]:.2f} s", file=sys.stderr)
    return seconds


def table(seconds: dict[str, list[float]]) -> Iterable[str]:
    """Lines of Markdown: median seconds of first and second runs, and over those of the in-process runner."""
    middle = {key: median(found) for key, found in seconds.items()}
    yield "| four months | first, s | to in-process | second, s | to in-process |"
    yield "| --- | --: | --: | --: | --: |"
    for key in dict.fromkeys(name.split()[0] for name in middle if " " in name):
        cells = [key]
        for which in ("first", "second"):
            own, base = middle.get(f"{key} {which}"), middle.get(f"in-process {which}")
            cells += [f"{own:.1f}" if own else "", f"{own / base:.2f}" if own and base else ""]
        yield f"| {' | '.join(cells)} |"
    yield ""
    yield "| tasks that do nothing | s | more than threads, s |"
    yield "| --- | --: | --: |"
    for key in (name for name in middle if " " not in name):
        base = middle.get("start-threads")
        yield f"| {key} | {middle[key]:.1f} | {f'{middle[key] - base:.1f}' if base else ''} |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--only", nargs="+", help="such as in-process dask-2 start-dask")
    parser.add_argument("--in-process", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.in_process:
        in_process()
        return
    rows = [row for row in ROWS if _there(row) and (not given.only or row.key.split()[0] in given.only)]
    with tempfile.TemporaryDirectory() as folder:
        seconds = measure(Bench(Path(folder)), rows, given.rounds)
    print(f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    print(_versions())
    print(f"\nMedian of {given.rounds}.\n")
    print("\n".join(table(seconds)))


def _there(row: Row) -> bool:
    """Whether its runner is installed."""
    return all(find_spec(f"prefect_{kind}") for kind in ("dask", "ray") if kind in row.words)


def _versions() -> str:
    found = []
    for name in _LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"no {name}")
    return ", ".join(found)


if __name__ == "__main__":
    main()
