"""Point-in-time joins: ours beside those of others, on the same files, in one run, with equal results.

Run from the repository's root, where nothing else runs::

    python -m benchmarks.point_in_time                           # 100 k x 1 M: a minute a round
    python -m benchmarks.point_in_time --size 1m-10m             # about ten minutes a round
    python -m benchmarks.point_in_time --feast ENV/bin/python    # Feast's stores too
    python -m benchmarks.point_in_time --large                   # aggregates of 50 M events in 4 GB

Three tasks, each with ten features: `latest` values by event time; `known`, latest values of what had been
recorded by then; `windows`, ten aggregates of 30, 90 and 365 days. Every contender is a process of its own
that reads the same rows (Parquet, in the order in which they were recorded) and the same spine, in no order;
counted is from reading to having the result in memory, imports not. Ours reads canonical events, which were
checked and sorted when they came in: the rows `ingest` say what that took, once, however often they are read
later. `polars-sorted` is Polars on the file that ours sorted. Each result is compared with ours, number by
number. Feast has no `known`, and no aggregates.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.point_in_time_data import TASKS, make
from benchmarks.point_in_time_sample import check_sample

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["main"]

ROOT = Path(__file__).parents[1]
SIZES = {
    "tiny": (1_000, 10_000), "100k-1m": (100_000, 1_000_000), "1m-10m": (1_000_000, 10_000_000),
    "large": (1_000_000, 50_000_000),
}  # fmt: skip
"""Rows of the spine and of the source."""
CONTENDERS = ("ours", "duckdb", "polars", "polars-sorted", "pandas")
LATEST, WINDOWS, FEAST = 1.1, 5, 10
"""Wanted: latest values in so many times the fastest at most; so many times as fast as pandas and Feast."""
_LIBRARIES = ("pyarrow", "duckdb", "polars", "pandas", "numpy")

Cost = dict[str, float]
Costs = dict[tuple[str, str], list[Cost]]


def contenders_of(task: str, feast: str | None, *, dask: bool) -> list[str]:
    """Who takes part in a task."""
    names = [name for name in CONTENDERS if (task, name) != ("windows", "polars-sorted")]
    stores = ["feast-duckdb", *(["feast-dask"] if dask else [])]
    return names + (stores if feast and task == "latest" else [])


def run(name: str, task: str, folder: Path, feast: str | None) -> Cost:
    """What a contender's process says it took; ends this program with what it said when it fails."""
    words = [sys.executable, "-m", "benchmarks.point_in_time_contenders", name, task, str(folder)]
    if name.startswith("feast-"):
        script = str(Path(__file__).with_name("point_in_time_feast.py"))
        words = [str(feast), script, name.removeprefix("feast-"), str(folder)]
    environment = os.environ | {"FEAST_USAGE": "False", "HOME": str(folder)}  # Feast notes its use in HOME
    done = subprocess.run(  # noqa: S603 - our own words
        words, capture_output=True, text=True, cwd=ROOT, env=environment, check=False
    )
    if done.returncode:
        raise SystemExit(f"{name} failed at {task}:\n{done.stderr[-4000:]}")
    found: Cost = json.loads(done.stdout.splitlines()[-1])
    print(f"{task}: {name} {found['wall']:.2f} s", file=sys.stderr)
    return found


def compare(name: str, task: str, folder: Path) -> None:
    """Ends this program when a result differs from ours: nulls exactly, numbers by more than 1e-9."""
    ours, theirs = (np.load(folder / f"result-{one}-{task}.npy") for one in ("ours", name))
    same = np.isclose(ours, theirs, rtol=1e-9, atol=1e-6, equal_nan=True)  # sums of numbers up to 1e4
    if not same.all():
        raise SystemExit(f"{name} differs from ours at {task} in {np.count_nonzero(~same):,} values")


def measure(folder: Path, tasks: Sequence[str], rounds: int, feast: str | None, *, dask: bool) -> Costs:
    """Costs by task and contender: one round that does not count, then as many as asked."""
    costs: Costs = {}
    for task in tasks:
        costs[task, "ingest"] = [run("ingest", task, folder, feast)]
        for number in range(rounds + 1):
            for name in contenders_of(task, feast, dask=dask):
                cost = run(name, task, folder, feast)
                if number:
                    costs.setdefault((task, name), []).append(cost)
                else:
                    compare(name, task, folder)
    return costs


def cost_table(costs: Costs) -> Iterable[str]:
    """Lines of Markdown: medians of time, processor and memory."""
    yield "| task | contender | wall, s | from, to | processor, s | from, to | peak MB | wall / ours |"
    yield "| --- | --- | --: | --: | --: | --: | --: | --: |"
    for (task, name), found in costs.items():
        cells = [
            f"{median(values):.2f} | {min(values):.2f}, {max(values):.2f}"
            for field in ("wall", "cpu")
            if (values := [cost[field] for cost in found])
        ]
        peak = max(cost["peak"] for cost in found)
        ratio = "" if name == "ingest" else f"{_wall(costs, task, name) / _wall(costs, task, 'ours'):.2f}"
        yield f"| {task} | {name} | {' | '.join(cells)} | {peak:,.0f} | {ratio} |"


def verdict_table(costs: Costs) -> Iterable[str]:
    """Lines of Markdown: what is wanted against what came, by medians of the clock and of the processors."""
    yield "| wanted | wall | processor |"
    yield "| --- | --: | --: |"
    for task in ("latest", "known"):
        others = [name for one, name in costs if one == task and name in ("duckdb", "polars", "pandas")]
        if others:
            cells = [
                _median(costs, task, "ours", field)
                / min(_median(costs, task, name, field) for name in others)
                for field in ("wall", "cpu")
            ]
            yield f"| {task}: ours / fastest ≤ {LATEST} | {cells[0]:.2f} | {cells[1]:.2f} |"
    wanted = [("latest", name, FEAST) for name in ("feast-duckdb", "feast-dask")]
    for task, name, times in [*wanted, ("windows", "pandas", WINDOWS)]:
        if (task, name) in costs:
            cells = [
                _median(costs, task, name, field) / _median(costs, task, "ours", field)
                for field in ("wall", "cpu")
            ]
            yield f"| {task}: {name} / ours ≥ {times} | {cells[0]:.1f} | {cells[1]:.1f} |"


def large(folder: Path, size: str) -> Iterable[str]:
    """Lines of Markdown: aggregates of a history that is larger than the memory that is given."""
    asked, rows = SIZES[size]
    make(folder, asked=asked, rows=rows, columns=1)
    yield f"{asked:,} rows asked of {rows:,} events, ten aggregates, a memory limit of 4 GB\n"
    yield "| step | wall, s | processor, s | most memory, MB |"
    yield "| --- | --: | --: | --: |"
    for name in ("ingest", "ours-4GB"):
        cost = run(name, "windows", folder, None)
        yield f"| {name} | {cost['wall']:.1f} | {cost['cpu']:.1f} | {cost['peak']:,.0f} |"
    check_sample(np.load(folder / "result-ours-4GB-windows.npy"), folder)
    yield "\nA thousand of its rows equal those found by looking at every event."


def main(words: list[str]) -> None:
    """Print the tables as Markdown."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.point_in_time", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument(
        "--size", choices=SIZES, default="100k-1m", help="rows of the spine and of the source"
    )
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=TASKS, help="all")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="rounds that count (3)")
    parser.add_argument("--feast", metavar="PYTHON", help="interpreter of an environment with Feast")
    parser.add_argument("--no-dask", action="store_true", help="leave out Feast's dask store")
    parser.add_argument("--large", action="store_true", help="only aggregates of 50 M events in 4 GB")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where the data go (a temporary folder)")
    options = parser.parse_args(words)
    print(_machine(options.feast))
    print(f"Command: `{shlex.join(['python', '-m', 'benchmarks.point_in_time', *words])}`\n")
    with tempfile.TemporaryDirectory(prefix="point-in-time-") as temporary:
        folder = (options.keep or Path(temporary)).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        if options.large:
            print(*large(folder, "tiny" if options.size == "tiny" else "large"), sep="\n")
            return
        asked, rows = SIZES[options.size]
        make(folder, asked=asked, rows=rows)
        # at 10 M rows Feast's dask store takes more memory than most machines have
        dask = not options.no_dask and rows < 10_000_000
        costs = measure(folder, options.tasks, options.rounds, options.feast, dask=dask)
    print(f"{asked:,} rows asked of {rows:,} rows; every result equals ours\n")
    print(*cost_table(costs), "", *verdict_table(costs), sep="\n")


def _wall(costs: Costs, task: str, name: str) -> float:
    return _median(costs, task, name, "wall")


def _median(costs: Costs, task: str, name: str, field: str) -> float:
    return median(cost[field] for cost in costs[task, name])


def _machine(feast: str | None) -> str:
    found = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    if feast:
        code = "from importlib.metadata import version as v; print(*(f'{n} {v(n)}' for n in ('feast', 'duckdb', 'dask', 'pandas')), sep=', ')"  # fmt: skip  # noqa: E501
        said = subprocess.run([feast, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
        found += f"; Feast's environment: {said.stdout.strip()}"
    return (
        f"Machine: {os.cpu_count()} processors, {platform.machine()}, load {load} at the start, "
        f"Python {platform.python_version()}, {found}"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
