"""What Prefect costs over the in-process runner: for this pipeline, per empty task, and to start.

Run from the repository's root, where nothing else runs; five minutes::

    python -m benchmarks.prefect_overhead
    python -m benchmarks.prefect_overhead --rounds 1 --sizes 10 100

- the pipeline: `mlops run churn` against `python flows/churn.py`, second runs that find everything done, with
  a server of the run's own and with a running one;
- empty tasks, as a chain and as a fan, within one flow run on a running server: the DAG walked by Prefect
  (`flows/tasks.py`), the same tasks written plainly with `@task`, and the DAG walked in process;
- start-up: `python flows/simulator.py`, four tasks, against four empty tasks on plain Prefect.

Whole processes from start to end, children included, but for a running server's own work. Medians of the
rounds; ratios are of costs in the same round. Every task run has to be recorded in the end: the API counts.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.main_job import Ratio, cost_table, machine, measure, ratio_table
from benchmarks.processes import ROOT, Bench, Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["main"]

_EMPTY, _SIMULATOR, _FLOW = "benchmarks/empty_tasks.py", "flows/simulator.py", "flows/churn.py"
ROWS = (
    Row("mlops-second", ("-m", "mlops_core.cli", "run", "churn"), "state"),
    Row("flow-second", (_FLOW,), "state"),
    Row("running-second", (_FLOW,), "state", prefect="running"),
    Row("four", (_EMPTY,)),
    Row("simulator", (_SIMULATOR,)),
    Row("running-four", (_EMPTY,), prefect="running"),
    Row("running-simulator", (_SIMULATOR,), prefect="running"),
)
RATIOS = (
    Ratio("flow-second", "mlops-second"),
    Ratio("running-second", "mlops-second"),
    Ratio("simulator", "four"),
    Ratio("running-simulator", "running-four"),
)
WAYS = ("bare", "ours", "in_process")
# By default the server writes each event by itself: thousands of tasks keep it busy for minutes afterwards
BATCHED = {
    f"PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_{name}": value
    for name, value in {"BATCH_SIZE": "200", "READ_BATCH_SIZE": "200", "FLUSH_INTERVAL": "1"}.items()
}
WANTED = 1.1  # ours over bare, per task

Found = dict[tuple[str, int], dict[str, list[dict[str, Any]]]]


def measure_tasks(bench: Bench, rounds: int, sizes: Sequence[int]) -> Found:
    """What each way took in each round, by shape and size."""
    found: Found = defaultdict(lambda: defaultdict(list))
    with bench.server(**BATCHED):
        words = (_EMPTY, str(rounds), *map(str, sizes))
        bench.run(Row("empty", words, prefect="running"))
    for line in bench.output().splitlines():
        if line.startswith("{"):
            one = json.loads(line)
            found[one["shape"], one["size"]][one["way"]].append(one)
            print(line, file=sys.stderr)
    return found


def task_table(found: Found) -> Iterable[str]:
    """Lines of Markdown: milliseconds a task, the ratio to plain Prefect, and what was recorded."""
    yield "| empty tasks | `@task`, ms each | `walk_on_prefect` | in process | ratio | from, to | recorded |"
    yield "| --- | --: | --: | --: | --: | --: | --: |"
    for (shape, size), ways in found.items():
        each = [f"{median(one['wall'] for one in ways[way]) / size * 1e3:.3f}" for way in WAYS]
        ratios = [ours["wall"] / bare["wall"] for bare, ours in zip(ways["bare"], ways["ours"], strict=True)]
        share = min(one["recorded"] for way in ways.values() for one in way) / size
        yield (
            f"| {shape} of {size:,} | {' | '.join(each)} | {median(ratios):.2f} | "
            f"{min(ratios):.2f}, {max(ratios):.2f} | {share:.0%} |"
        )


def main(words: list[str]) -> None:
    """Print the tables as Markdown."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.prefect_overhead", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="rounds that count (3)")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 100, 1_000], metavar="N", help="tasks")
    options = parser.parse_args(words)
    print(machine(), f"\nCommand: `{shlex.join(['python', '-m', 'benchmarks.prefect_overhead', *words])}`\n")
    with tempfile.TemporaryDirectory(prefix="prefect-overhead-") as folder:
        bench = Bench(Path(folder))
        found = measure_tasks(bench, options.rounds, options.sizes)
        costs = measure(bench, ROWS, options.rounds)
    print(*cost_table(costs), "", *ratio_table(costs, RATIOS), "", *task_table(found), sep="\n")
    print(f"\nWanted is a ratio of at most {WANTED}.")


if __name__ == "__main__":
    os.chdir(ROOT)
    main(sys.argv[1:])
