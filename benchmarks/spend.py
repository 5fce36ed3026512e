"""What a model of spend must beat: what each customer spent before, and the standard models of buying.

On the evaluation snapshot of the spend use case: every customer who had bought by the close of 31 March
1998, and the dollars they leave in the 90 days that follow. BG/NBD expects how many days with a purchase
come, see `benchmarks.baselines`; Gamma-Gamma expects what is spent on one. Source: P. S. Fader, B. G. S.
Hardie, "The Gamma-Gamma Model of Monetary Value" (2013): the mean spend per day of a customer with x days is
Gamma(p x, nu x), its nu drawn from Gamma(q, gamma).
"""

from __future__ import annotations

import argparse
import sys
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from scipy.optimize import minimize
from scipy.special import gammaln

from benchmarks.baselines import HORIZON, SNAPSHOT, fit, histories
from mlops_core.metrics import figure, intervals, paired_gain

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["gamma_gamma", "spent"]

_SHOWN = ("r2", "neg_root_mean_squared_error", "neg_mean_absolute_error")


def spent(file: Path, after: int, before: int) -> tuple[NDArray[np.int64], Floats]:
    """Customers with a purchase by the snapshot, and their dollars in days (after, before] from it."""
    table = pq.read_table(file, columns=["customer_id", "purchased_on", "usd"])
    day = pc.subtract(table["purchased_on"].cast(pa.int32()), pa.scalar(SNAPSHOT.toordinal() - 719163))
    known = np.unique(table.filter(pc.less_equal(day, 0))["customer_id"].to_numpy())
    within = table.filter(pc.and_(pc.greater(day, after), pc.less_equal(day, before)))
    sums = np.zeros(len(known))
    ours = np.isin(within["customer_id"].to_numpy(), known)
    places = np.searchsorted(known, within["customer_id"].to_numpy()[ours])
    np.add.at(sums, places, within["usd"].to_numpy()[ours].astype(np.float64))
    return known, sums


def gamma_gamma(days: Floats, mean: Floats) -> Floats:
    """Expected spend per purchase day of customers with so many `days` of them at `mean` dollars."""
    some = mean > 0
    x, m = days[some], mean[some]

    def loss(logs: Floats) -> float:
        p, q, gamma = np.exp(logs)
        found = gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(gamma)
        found += (p * x - 1) * np.log(m) + p * x * np.log(x) - (p * x + q) * np.log(gamma + m * x)
        return -float(np.mean(found))

    best = minimize(loss, np.zeros(3), method="L-BFGS-B", bounds=[(-7, 7)] * 3, options={"ftol": 1e-12})
    if not best.success:
        raise RuntimeError(f"the likelihood could not be maximised: {best.message}")
    p, q, gamma = np.exp(best.x)
    return np.asarray(p * (gamma + mean * days) / (p * days + q - 1))


def _baselines(file: Path) -> tuple[NDArray[np.int64], Floats, dict[str, Floats]]:
    customers, truth = spent(file, 0, HORIZON.days)
    seen = histories(file)
    assert np.array_equal(seen.customer, customers)
    (_, ever), (_, lately) = spent(file, -10_000, 0), spent(file, -HORIZON.days, 0)
    days, since = seen.repeats + 1, np.maximum(seen.now * 7, 1)
    expected = fit(seen).expected(seen, HORIZON.days / 7)
    scores = {
        "what was spent in the 90 days before": lately,
        "spend a day since the first purchase, times 90": ever / since * HORIZON.days,
        "BG/NBD and Gamma-Gamma": expected * gamma_gamma(days, ever / days),
    }
    return customers, truth, scores


def main(words: list[str]) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--predictions", type=Path, required=True, metavar="FILE", help="predictions.parquet")
    told = parser.parse_args(words)
    customers, truth, scores = _baselines(Path(str(files("mlops_core") / "data" / "cdnow.parquet")))
    table = pq.read_table(told.predictions).sort_by("customer_id")
    assert np.array_equal(table["customer_id"].to_numpy(), customers), "other customers"
    assert np.allclose(table["label"].to_numpy(), truth, rtol=0, atol=1e-6), "other labels"
    mine = np.asarray(table["score"].to_numpy(), dtype=np.float64)
    print("| score | R² (95 % interval) | RMSE | MAE | mean | delivered R² minus this (at least) |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, given in {**scores, "delivered model": mine}.items():
        found = intervals(truth, given, 0.5, more=("r2",), task="regression")["r2"]
        _, rmse, mae = (abs(figure(one, truth, given)) for one in _SHOWN)
        gain = "" if given is mine else _gain(truth, mine, given)
        r2 = f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f})"
        print(f"| {name} | {r2} | {rmse:.2f} | {mae:.2f} | {given.mean():.2f} | {gain} |")
    print(f"\nMean of what was spent: {truth.mean():.2f}; {np.mean(truth == 0):.1%} spent nothing.")
    return 0


def _gain(truth: Floats, mine: Floats, theirs: Floats) -> str:
    gain = paired_gain("r2", truth, mine, theirs, confidence=0.95)
    return f"{gain.value:+.3f} ({gain.low:+.3f})"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
