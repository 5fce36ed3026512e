"""What it costs to foresee a run, to explain it, to make a model again and to show where it came from.

Run from the repository's root, where nothing else runs::

    python -m benchmarks.repeat    # about four minutes

Every line is a whole process of `mlops …` on the bundled purchases: a first run into an empty state folder,
then the same folder for all others, in turn. Medians by the clock and of the processors; the last column is
over the run that the line stands beside: a run that finds everything done, or, for `reproduce`, the first.
"""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.processes import Bench, Row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.processes import Cost

__all__ = ["LINES", "main", "table"]

FIRST, AGAIN = "run, the first", "run, everything done"
LINES = {
    FIRST: ("run", "churn", "--quiet"),
    AGAIN: ("run", "churn", "--quiet"),
    "plan": ("plan", "churn"),
    "why": ("why", "churn.model_evaluation"),
    "lineage": ("lineage", "churn@production"),
    "evidence": ("evidence", "churn@production", "--out", "{state}/pack"),
    "gc, nothing to remove": ("gc", "churn"),
    "reproduce": ("reproduce", "churn", "1"),
}
_LIBRARIES = ("duckdb", "scikit-learn", "mlflow-skinny", "pyarrow")


def measure(rounds: int, data: Path | None = None) -> dict[str, list[Cost]]:
    """The costs of every line; a round begins with an empty state folder. `data`: other events."""
    told = ("--data", str(data.absolute())) if data else ()
    costs: dict[str, list[Cost]] = {line: [] for line in LINES}
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        for number in range(rounds):
            print(f"round {number + 1} of {rounds}", file=sys.stderr)
            for line, said in LINES.items():
                words = (*said, *told) if said[0] in ("run", "plan", "why") else said
                row = Row(line, ("-m", "mlops_core.cli", *words), state="home", first=line == FIRST)
                costs[line].append(bench.run(row))
    return costs


def table(costs: Mapping[str, Sequence[Cost]]) -> list[str]:
    """The lines of the table, in Markdown."""
    clock = {line: median(cost.wall for cost in found) for line, found in costs.items()}
    lines = ["| `mlops …` | clock, s | processor, s | times the run beside it |", "| --- | --: | --: | --: |"]
    for line, found in costs.items():
        beside = FIRST if line in (FIRST, "reproduce") else AGAIN
        cpu = median(cost.cpu for cost in found)
        lines.append(f"| {line} | {clock[line]:.2f} | {cpu:.2f} | {clock[line] / clock[beside]:.2f} |")
    return lines


def main(words: Sequence[str] | None = None) -> int:
    """Print the machine, the command and the table."""
    words = sys.argv[1:] if words is None else words
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5, help="how often each line is measured")
    parser.add_argument("--data", type=Path, help="events instead of the bundled purchases")
    told = parser.parse_args(words)
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    print(
        f"Machine: {os.cpu_count()} processors, {platform.machine()}, load {load} at the start, "
        f"Python {platform.python_version()}, {libraries}"
    )
    print(f"Command: `{shlex.join(['python', '-m', 'benchmarks.repeat', *words])}`\n")
    print("\n".join(table(measure(told.rounds, told.data))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
