"""How often is the gate wrong? Models of known quality are promoted or not, many times.

`python -m benchmarks.gates [--small] [--write]`; `--write` draws docs/gates.svg.

Rows and two models' predictions are drawn (`benchmarks.gates_models` says how) and rules are asked, at 95 %
confidence: `>=`, which looks at the figures alone; superiority; non-inferiority by some margin; and the whole
gate under the default policy. Since what is drawn is known exactly, every promotion of a challenger that is
truly no better (for non-inferiority: worse by the margin) is an error, and those of better ones are power.
Verdicts are those of `paired_gain` and `judge` themselves.
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import shlex
import sys
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from benchmarks.gates_models import CHAMPIONS_ERROR, Drawn, classification, regression
from benchmarks.gates_plot import Curve, Panel, drawing
from mlops_core.checks import Champion, Judged, Predictions, judge
from mlops_core.definitions import GatePolicy
from mlops_core.domain.profiles import FeatureProfile
from mlops_core.metrics import intervals, paired_gain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mlops_core.domain.metrics import Task

__all__ = ["CONFIDENCE", "FULL", "SMALL", "Case", "Rate", "simulated"]

CONFIDENCE = 0.95
PLOT = Path(__file__).parents[1] / "docs" / "gates.svg"
NAIVE, SUPERIORITY, GATE = "`>=`", "superiority", "whole gate"
MARGINS: dict[Task, tuple[float, ...]] = {"classification": (0.002, 0.01), "regression": (0.01,)}
GAINS: dict[Task, tuple[float, ...]] = {
    "classification": (-0.01, -0.005, -0.002, 0.0, 0.0025, 0.005, 0.01, 0.02),
    "regression": (-0.01, 0.0, 0.01, 0.02),
}
SHOWN = (-0.01, -0.002, 0.0, 0.005, 0.01, 0.02)
_POLICY = GatePolicy(floor=0.5, confidence=CONFIDENCE)


@dataclass(frozen=True, slots=True)
class Case:
    """So many rows, drawn so many times; the whole gate is asked of better challengers `judged` times."""

    task: Task
    rows: int
    times: int
    judged: int = 0


FULL = (
    Case("classification", 1_000, 2_000, 200),
    Case("classification", 5_000, 2_000, 60),
    Case("classification", 20_000, 1_000, 40),
    Case("regression", 1_000, 1_000),
    Case("regression", 5_000, 400),
)
SMALL = (Case("classification", 1_000, 200, 10), Case("regression", 500, 40))


class Rate(NamedTuple):
    """How often a rule promoted, of `times` challengers that are truly better by `gain`."""

    case: Case
    gain: float
    rule: str
    promoted: int
    times: int

    @property
    def share(self) -> float:
        """Of those asked about."""
        return self.promoted / self.times

    @property
    def wrong(self) -> bool:
        """Whether a promotion is an error."""
        return self.gain <= (-_margin(self.rule) if self.rule.startswith("non") else 0.0)

    @property
    def interval(self) -> tuple[float, float]:
        """What the simulation leaves open: the share's 95 % interval (E. B. Wilson, 1927)."""
        z, n, p = 1.96, self.times, self.share
        centre, shrunk = p + z * z / (2 * n), 1 + z * z / n
        half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return max((centre - half) / shrunk, 0.0), (centre + half) / shrunk


def simulated(cases: Iterable[Case], *, seed: int = 0) -> Iterator[Rate]:
    """How often each rule promotes, by case and gain; as many processes as processors."""
    with ProcessPoolExecutor() as workers:
        for case in cases:
            asked: dict[tuple[float, str], list[bool]] = defaultdict(list)
            rounds = workers.map(_verdicts, repeat(case), range(case.times), repeat(seed), chunksize=10)
            for verdicts in rounds:
                for key, promoted in verdicts.items():
                    asked[key].append(promoted)
            for (gain, rule), promotions in asked.items():
                yield Rate(case, gain, rule, sum(promotions), len(promotions))


def _verdicts(case: Case, number: int, seed: int) -> dict[tuple[float, str], bool]:
    """Of every rule for every gain, on rows of their own."""
    random = np.random.default_rng([seed, case.rows, number])
    draw, metric, unit = classification, "roc_auc", 1.0
    if case.task == "regression":
        draw, metric, unit = regression, "neg_mean_squared_error", CHAMPIONS_ERROR
    found: dict[tuple[float, str], bool] = {}
    gains = GAINS[case.task]
    for gain, drawn in zip(gains, draw(random, case.rows, gains), strict=True):
        seen = paired_gain(metric, *drawn, confidence=CONFIDENCE, seed=number)
        found[gain, NAIVE] = seen.value >= 0.0
        found[gain, SUPERIORITY] = seen.low > 0.0
        for margin in MARGINS[case.task]:
            found[gain, f"non-inferiority by {margin:g}"] = seen.low > -margin * unit
        if case.judged and (gain <= 0.0 or number < case.judged):
            # It asks for superiority too, so there is nothing more to compute where that is not given.
            found[gain, GATE] = seen.low > 0.0 and _passes(drawn)
    return found


def _passes(drawn: Drawn) -> bool:
    """Whether no check of the gate fails, on models without features: there is no drift."""
    nothing = pa.table({})
    champion = Champion(
        number=1,
        profile=FeatureProfile(rows=1, features={}),
        predictions=Predictions(scores=drawn.champion),
    )
    judged = Judged(
        task="classification",
        truth=drawn.truth,
        challenger=Predictions(scores=drawn.challenger),
        champion=champion,
        rows=nothing,
        training=nothing,
        intervals=intervals(drawn.truth, drawn.challenger, 0.5, replicates=20),
        latency_ms=1.0,
        size_mb=1.0,
    )
    return all(check.outcome != "failed" for check in judge(_POLICY, judged))


def _margin(rule: str) -> float:
    return float(rule.rpartition(" ")[2])


def table(task: Task, rates: list[Rate]) -> Iterator[str]:
    """Lines of Markdown; errors in bold, with the simulation's own interval."""
    mine = [rate for rate in rates if rate.case.task == task and rate.gain in SHOWN]
    rules = list(dict.fromkeys(rate.rule for rate in mine))
    yield f"| rows | truly better by | {' | '.join(rules)} |"
    yield f"| --: | --: |{' --: |' * len(rules)}"
    lines: dict[tuple[int, float], dict[str, str]] = defaultdict(dict)
    for rate in mine:
        lines[rate.case.rows, rate.gain][rate.rule] = _shown(rate)
    for (rows, gain), cells in lines.items():
        better = f"{gain:+.3f}" if task == "classification" else f"{gain:+.1%}"
        yield f"| {rows:,} | {better if gain else '0'} | {' | '.join(cells.get(one, '') for one in rules)} |"


def _shown(rate: Rate) -> str:
    if rate.wrong:
        low, high = rate.interval
        return f"**{100 * rate.share:.1f}%** ({100 * low:.1f} to {100 * high:.1f})"
    return f"{100 * rate.share:.0f}%"


def panels(rates: list[Rate]) -> list[Panel]:
    """Power curves of classification, a panel for each number of rows."""
    mine = [rate for rate in rates if rate.case.task == "classification"]
    wide = f"non-inferiority by {MARGINS['classification'][-1]:g}"
    kinds = {wide: "noninferiority", NAIVE: "naive", SUPERIORITY: "superiority", GATE: "dot"}
    curves: dict[int, dict[str, list[tuple[float, float]]]] = defaultdict(lambda: defaultdict(list))
    for rate in mine:
        if rate.rule in kinds:
            curves[rate.case.rows][rate.rule].append((rate.gain, rate.share))
    return [
        Panel(
            f"{rows:,} rows", [Curve(rule.strip("`"), kinds[rule], points) for rule, points in lines.items()]
        )
        for rows, lines in curves.items()
    ]


def main(arguments: list[str]) -> None:
    """Print the tables as Markdown, and draw the plot."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gates", description="Errors of the gate.")
    parser.add_argument("--small", action="store_true", help="a few seconds, for the tests")
    parser.add_argument("--write", action="store_true", help="draw docs/gates.svg")
    options = parser.parse_args(arguments)
    started = time.perf_counter()
    rates = list(simulated(SMALL if options.small else FULL))
    libraries = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scikit-learn"))
    machine = f"{os.cpu_count()} processors, {platform.machine()}, Python {platform.python_version()}"
    print(f"Machine: {machine}, {libraries}; it took {time.perf_counter() - started:.0f} seconds")
    print(f"Command: `{shlex.join(['python', '-m', 'benchmarks.gates', *arguments])}`\n")
    tasks: tuple[Task, ...] = ("classification", "regression")
    for task in tasks:
        print(f"{task.capitalize()}:\n", *table(task, rates), "", sep="\n")
    if options.write:
        PLOT.write_text(drawing(panels(rates), level=1 - CONFIDENCE))


if __name__ == "__main__":
    main(sys.argv[1:])
