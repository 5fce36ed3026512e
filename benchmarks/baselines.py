"""What a model must beat: ranking customers by recency, and by the BG/NBD model of repeat buying.

On the evaluation snapshot of the churn use case: every customer who had bought by the close of 31 March
1998, and whether they buy nothing in the 90 days that follow. With `--predictions` the delivered model's
scores are compared with both on the same rows, by paired bootstrap.

Sources: P. S. Fader, B. G. S. Hardie, K. L. Lee, "Counting Your Customers the Easy Way: An Alternative to
the Pareto/NBD Model", Marketing Science 24 (2005); for the probability of being alive, the first two authors'
note "Computing P(alive) Using the BG/NBD Model" (2008). A customer buys at a rate drawn from Gamma(r, alpha)
and drops out after any purchase with a probability drawn from Beta(a, b). x counts the days with a repeat
purchase, t_x is the last of them and T the snapshot, in weeks since the first purchase.
"""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import sys
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
from scipy.optimize import minimize
from scipy.special import betaln, gammaln, hyp2f1

from mlops_core.metrics import intervals, paired_difference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlops_core.domain.receipts import Interval

    Floats = NDArray[np.float64]

__all__ = ["BgNbd", "Histories", "baselines", "fit", "histories", "log_likelihood"]

SNAPSHOT = date(1998, 3, 31)
HORIZON = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Histories:
    """One row a customer who bought by the snapshot, by rising `customer`; label 1: nothing in the horizon.

    `repeats` are days with a purchase after the first, `last` and `now` weeks since the first.
    """

    customer: NDArray[np.int64]
    repeats: Floats
    last: Floats
    now: Floats
    label: NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class BgNbd:
    """Parameters of the BG/NBD model, rates per week."""

    r: float
    alpha: float
    a: float
    b: float

    def alive(self, seen: Histories) -> Floats:
        """Probability that a customer has not dropped out; certain before any repeat purchase."""
        gone = self.a / (self.b + np.maximum(seen.repeats, 1) - 1)
        gone *= ((self.alpha + seen.now) / (self.alpha + seen.last)) ** (self.r + seen.repeats)
        return np.where(seen.repeats > 0, 1 / (1 + gone), 1.0)

    def expected(self, seen: Histories, weeks: float) -> Floats:
        """Expected purchases in the weeks after `now`."""
        r, alpha, a, b, x = self.r, self.alpha, self.a, self.b, seen.repeats
        whole = alpha + seen.now + weeks
        none = ((alpha + seen.now) / whole) ** (r + x) * hyp2f1(r + x, b + x, a + b + x - 1, weeks / whole)
        return np.asarray((a + b + x - 1) / (a - 1) * (1 - none) * self.alive(seen))

    def buys_nothing(self, seen: Histories, weeks: float) -> Floats:
        """Probability of no purchase in the weeks after `now`: gone, or there and not buying."""
        waits = ((self.alpha + seen.now) / (self.alpha + seen.now + weeks)) ** (self.r + seen.repeats)
        return 1 - self.alive(seen) * (1 - waits)


def histories(file: Path, snapshot: date = SNAPSHOT, horizon: timedelta = HORIZON) -> Histories:
    """Read purchases (customer_id, purchased_on) and sum them up as of the close of `snapshot`."""
    table = pq.read_table(file, columns=["customer_id", "purchased_on"])
    day = table["purchased_on"]
    later = table.filter(pc.and_(pc.greater(day, snapshot), pc.less_equal(day, snapshot + horizon)))
    past = table.filter(pc.less_equal(day, snapshot)).group_by("customer_id")
    sums = past.aggregate([("purchased_on", how) for how in ("count_distinct", "min", "max")])
    sums = sums.sort_by("customer_id")
    customer = sums["customer_id"].to_numpy().astype(np.int64)
    first, last = sums["purchased_on_min"].to_numpy(), sums["purchased_on_max"].to_numpy()
    return Histories(
        customer=customer,
        repeats=sums["purchased_on_count_distinct"].to_numpy().astype(np.float64) - 1,
        last=_weeks(last - first),
        now=_weeks(np.datetime64(snapshot) - first),
        label=(~np.isin(customer, later["customer_id"].to_numpy())).astype(np.int8),
    )


def log_likelihood(model: BgNbd, seen: Histories) -> Floats:
    """Log likelihood of each history, without the factor that does not depend on the parameters."""
    r, alpha, a, b, x = model.r, model.alpha, model.a, model.b, seen.repeats
    buying = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
    staying = betaln(a, b + x) - betaln(a, b) - (r + x) * np.log(alpha + seen.now)
    leaving = betaln(a + 1, b + np.maximum(x, 1) - 1) - betaln(a, b) - (r + x) * np.log(alpha + seen.last)
    return np.asarray(buying + np.where(x > 0, np.logaddexp(staying, leaving), staying))


def fit(seen: Histories) -> BgNbd:
    """Maximum likelihood, searched over the logarithms of the parameters."""

    def loss(logs: Floats) -> float:
        return -float(np.mean(log_likelihood(BgNbd(*np.exp(logs)), seen)))

    found = minimize(loss, np.zeros(4), method="L-BFGS-B", bounds=[(-7, 7)] * 4, options={"ftol": 1e-12})
    if not found.success:
        raise RuntimeError(f"the likelihood could not be maximised: {found.message}")
    return BgNbd(*(float(value) for value in np.exp(found.x)))


def baselines(seen: Histories, horizon: timedelta = HORIZON) -> dict[str, Floats]:
    """Scores by baseline, higher for whom buying nothing is likelier."""
    model, weeks = fit(seen), horizon / timedelta(weeks=1)
    return {
        "weeks since the last purchase": seen.now - seen.last,
        "BG/NBD, probability of no purchase": model.buys_nothing(seen, weeks),
        "BG/NBD, fewest expected purchases": -model.expected(seen, weeks),
    }


def champion(file: Path, seen: Histories) -> Floats:
    """The scores of a `predictions.parquet`, in the order of the histories; its labels must be ours."""
    table = pq.read_table(file).sort_by("customer_id")
    if not np.array_equal(table["customer_id"].to_numpy(), seen.customer):
        raise SystemExit(f"{file} is about other customers than the snapshot of {SNAPSHOT}")
    if not np.array_equal(table["label"].to_numpy(), seen.label):
        raise SystemExit(f"{file} has other labels than the snapshot of {SNAPSHOT}")
    return np.asarray(table["score"].to_numpy(), dtype=np.float64)


def comparison(scores: Mapping[str, Floats], labels: NDArray[np.int8], replicates: int = 1000) -> list[str]:
    """Lines of Markdown: ROC AUC of each score, and how far the last one is ahead of it."""
    *_, best = scores
    lines = [f"| score | ROC AUC (95% interval) | {best}, minus this |", "| --- | --- | --- |"]
    for name, values in scores.items():
        # Ranks stand in for scores that are no probabilities: AUC asks for the order alone.
        ranks = np.unique(values, return_inverse=True)[1] / len(values)
        area = intervals(labels, ranks, 0.5, replicates=replicates)["roc_auc"]
        ahead = paired_difference("roc_auc", labels, scores[best], values, replicates=replicates)
        lines.append(f"| {name} | {_shown(area)} | {_shown(ahead, '+') if name != best else ''} |")
    return lines


def main(arguments: list[str]) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Baselines for the churn use case.")
    default = Path(str(files("mlops_core").joinpath("data", "cdnow.parquet")))
    parser.add_argument("--data", type=Path, default=default, help="purchases, Parquet")
    parser.add_argument("--predictions", type=Path, help="predictions.parquet of an evaluation")
    options = parser.parse_args(arguments)
    seen = histories(options.data)
    scores = baselines(seen)
    if options.predictions:
        scores["delivered model"] = champion(options.predictions, seen)
    share, days = float(seen.label.mean()), HORIZON.days
    print(f"{len(seen.label):,} customers, {share:.1%} of them buy nothing in {days} days.\n")
    print(*comparison(scores, seen.label), sep="\n")
    libraries = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy"))
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"\n{machine}, {libraries}: `{shlex.join(['python', 'benchmarks/baselines.py', *arguments])}`")


def _weeks(spans: NDArray[np.timedelta64]) -> Floats:
    return np.asarray(spans / np.timedelta64(7, "D"), dtype=np.float64)


def _shown(figure: Interval, sign: str = "") -> str:
    return f"{figure.value:{sign}.4f} ({figure.low:{sign}.4f} to {figure.high:{sign}.4f})"


if __name__ == "__main__":
    main(sys.argv[1:])
