"""What the churn delivery costs, next to a bare Prefect flow and to the engines themselves.

Run from the repository's root, where nothing else runs. Each figure is of whole processes from start to end,
children included::

    python -m benchmarks.main_job                    # five rounds, a quarter of an hour
    python -m benchmarks.main_job --rounds 3 --only bare-handled flow-first flow-second engines
    python -m benchmarks.main_job --stages           # where the time goes, stage by stage

- `bare`: ten empty tasks with the dependencies of the churn pipeline (`bare_flow.py`), on the temporary
  server that Prefect itself starts; `bare-handled`: the same, `flows/server.py` starting it, as for ours.
- `flow-first`: `python flows/churn.py` with nothing stored; `flow-second`: the same again. The Prefect home
  is warm: its database was made by an earlier run.
- `running-…`: the same three beside a `prefect server start`, whose own work is not counted.
- `mlops-first`, `mlops-second`: `mlops run churn`, which is without Prefect.
- `engines`: the first delivery's work by DuckDB, scikit-learn and MLflow alone; `engines.py` says what it is.
- `fresh-…`, once, at the end: with a new Prefect home, so that its database is made first.

A round runs every row once, in this order; a round that is not counted goes before. Ratios are of costs in
the same round, so that whatever else the machine does weighs on both sides; shown are median and range.
"""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import sys
import tempfile
from contextlib import nullcontext
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.processes import ROOT, Bench, Cost, Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["RATIOS", "ROWS", "Ratio", "cost_table", "machine", "main", "measure", "ratio_table"]

Costs = dict[str, list[Cost]]

_BARE, _FLOW = "benchmarks/bare_flow.py", "flows/churn.py"
_MLOPS = ("-m", "mlops_core.cli", "run", "churn")
ROWS = (
    Row("bare", (_BARE,)),
    Row("bare-handled", (_BARE, "handled")),
    Row("flow-first", (_FLOW,), "flow", first=True),
    Row("flow-second", (_FLOW,), "flow"),
    Row("running-bare", (_BARE,), prefect="running"),
    Row("running-first", (_FLOW,), "running", first=True, prefect="running"),
    Row("running-second", (_FLOW,), "running", prefect="running"),
    Row("mlops-first", _MLOPS, "mlops", first=True),
    Row("mlops-second", _MLOPS, "mlops"),
    Row("engines", ("benchmarks/engines.py", "{state}"), "engines", first=True),
)
ONCE = (
    Row("fresh-bare", (_BARE,), prefect="new"),
    Row("fresh-handled", (_BARE, "handled"), prefect="new"),
    Row("fresh-first", (_FLOW,), "fresh", first=True, prefect="new"),
)
_LIBRARIES = ("prefect", "duckdb", "scikit-learn", "skops", "mlflow-skinny")


class Ratio(NamedTuple):
    """`ours` over `base`; or with `engines`, how many times their cost `ours` comes on top of `base`."""

    ours: str
    base: str
    wanted: float | None = None
    engines: str = ""

    @property
    def rows(self) -> tuple[str, ...]:
        """The rows it is made from."""
        return tuple(filter(None, (self.ours, self.base, self.engines)))

    def of(self, ours: float, base: float, engines: float | None = None) -> float:
        """The ratio of these costs."""
        return ours / base if engines is None else (ours - base) / engines

    def __str__(self) -> str:
        return (
            f"({self.ours} - {self.base}) / {self.engines}" if self.engines else f"{self.ours} / {self.base}"
        )


RATIOS = (
    Ratio("flow-second", "bare", 1.15),
    Ratio("flow-second", "bare-handled", 1.15),
    Ratio("running-second", "running-bare", 1.15),
    Ratio("flow-first", "bare", 1.2, "engines"),
    Ratio("flow-first", "bare-handled", 1.2, "engines"),
    Ratio("running-first", "running-bare", 1.2, "engines"),
    Ratio("mlops-first", "engines"),
    Ratio("mlops-second", "bare"),
)


def measure(bench: Bench, rows: Sequence[Row], rounds: int) -> Costs:
    """Costs by row: a round that does not count, then as many as asked; then what is measured once."""
    again, once = [row for row in rows if row.prefect != "new"], [row for row in rows if row.prefect == "new"]
    costs: Costs = {row.key: [] for row in rows}
    running = any(row.prefect == "running" for row in rows)
    with bench.server() if running else nullcontext():
        for number in range(rounds + 1):
            for row in again:
                cost = bench.run(row)
                costs[row.key] += [cost] if number else []
                print(f"round {number}: {row.key} {cost.wall:.2f} s", file=sys.stderr)
    for row in once:
        costs[row.key].append(bench.run(row))
    return costs


def cost_table(costs: Costs) -> Iterable[str]:
    """Lines of Markdown: medians and ranges of each row."""
    yield "| row | wall, s | from, to | processor, s | from, to |"
    yield "| --- | --: | --: | --: | --: |"
    for key, found in costs.items():
        cells = [_shown([getattr(cost, field) for cost in found], 2) for field in Cost._fields]
        yield f"| {key} | {' | '.join(cells)} |"


def ratio_table(costs: Costs, ratios: Sequence[Ratio] = RATIOS) -> Iterable[str]:
    """Lines of Markdown: every ratio whose rows were measured, what is wanted against what came."""
    yield "| ratio | wanted | wall | from, to | processor | from, to |"
    yield "| --- | --: | --: | --: | --: | --: |"
    for ratio in ratios:
        if not costs.keys() >= set(ratio.rows):
            continue
        rounds = list(zip(*(costs[key] for key in ratio.rows), strict=True))
        cells = [
            _shown([ratio.of(*(getattr(cost, field) for cost in one)) for one in rounds], 3)
            for field in Cost._fields
        ]
        yield f"| {ratio} | {f'≤ {ratio.wanted}' if ratio.wanted else ''} | {' | '.join(cells)} |"


def print_stages(bench: Bench) -> None:
    """Where a first and a second delivery in this process spend their time, without Prefect."""
    row = Row("stages", ("benchmarks/stage_times.py",), "stages")
    bench.run(row._replace(first=True))  # not counted: compiles, fills the disk's cache
    for title, first in (("First", True), ("Second", False)):
        cost = bench.run(row._replace(first=first))
        print(f"\n{title} run: {cost.wall:.2f} s, {cost.cpu:.2f} s of processor\n\n{bench.output()}")
    bench.run(Row("engines", ("benchmarks/engines.py", "{state}"), "engines", first=True))
    said = [line for line in bench.output().splitlines() if " s of processor" in line]
    print("\nThe engines alone:\n", *said, sep="\n")


def main(words: list[str]) -> None:
    """Print the tables as Markdown."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.main_job", description=(__doc__ or "").splitlines()[0]
    )
    keys = [row.key for row in (*ROWS, *ONCE)]
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="rounds that count (5)")
    parser.add_argument("--only", nargs="+", choices=keys, default=keys, metavar="ROW", help=", ".join(keys))
    parser.add_argument("--stages", action="store_true", help="only where the time goes, stage by stage")
    options = parser.parse_args(words)
    print(machine(), f"\nCommand: `{shlex.join(['python', '-m', 'benchmarks.main_job', *words])}`\n")
    with tempfile.TemporaryDirectory(prefix="main-job-") as folder:
        bench = Bench(Path(folder))
        if options.stages:
            print_stages(bench)
            return
        rows = [row for row in (*ROWS, *ONCE) if row.key in options.only]
        costs = measure(bench, rows, options.rounds)
    print(*cost_table(costs), "", *ratio_table(costs), sep="\n")


def _shown(values: Sequence[float], digits: int) -> str:
    spread = f"{min(values):.{digits}f}, {max(values):.{digits}f}" if len(values) > 1 else "once"
    return f"{median(values):.{digits}f} | {spread}"


def machine() -> str:
    """The machine, its load, and the versions of what is measured."""
    found = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    return (
        f"Machine: {os.cpu_count()} processors, {platform.machine()}, load {load} at the start, "
        f"Python {platform.python_version()}, {found}"
    )


if __name__ == "__main__":
    os.chdir(ROOT)
    main(sys.argv[1:])
