"""The baselines: their model against numerical integration, their histories against counting by hand."""

from __future__ import annotations

import importlib.util
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray
from scipy.special import roots_genlaguerre, roots_jacobi

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

Floats = NDArray[np.float64]


@pytest.fixture(scope="module")
def baselines() -> Iterator[Any]:
    """The script as a module."""
    script = Path(__file__).parents[2] / "benchmarks" / "baselines.py"
    spec = importlib.util.spec_from_file_location("benchmark_baselines", script)
    assert spec is not None
    assert spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture(scope="module")
def seen(baselines: Any) -> Any:
    """Four histories, in weeks; one of them without a repeat purchase."""
    columns = np.array([[0, 0.0, 9.0], [1, 4.0, 9.0], [3, 8.5, 9.0], [2, 1.0, 30.0]])
    customer, label = np.arange(4), np.zeros(4, np.int8)
    return baselines.Histories(customer, *columns.T, label)


@pytest.fixture(scope="module")
def model(baselines: Any) -> Any:
    """Parameters of everyday size."""
    return baselines.BgNbd(r=0.6, alpha=5.0, a=1.4, b=2.5)


def expectation(model: Any, of: Any) -> Floats:
    """Mean of `of(rate, drop_out)` over the customers of the model, by Gaussian quadrature; shape (4,)."""
    rates, rate_weights = roots_genlaguerre(60, model.r - 1)
    drops, drop_weights = roots_jacobi(60, model.b - 1, model.a - 1)
    rate, drop = rates[:, None] / model.alpha, (drops[None, :] + 1) / 2
    weights = rate_weights[:, None] * drop_weights[None, :]
    means = [float(np.sum(weights * values)) for values in of(rate, drop)]
    return np.array(means) / float(weights.sum())


def chances(seen: Any, ahead: float = 0.0) -> Any:
    """Of one customer's history as a function of rate and drop-out: (still there and silent, gone)."""

    def of(rate: Floats, drop: Floats) -> tuple[list[Floats], list[Floats]]:
        there, gone = [], []
        for x, last, now in zip(seen.repeats, seen.last, seen.now, strict=True):
            bought = rate**x * (1 - drop) ** max(x - 1, 0)
            there.append(bought * (1 - drop if x else 1) * np.exp(-rate * (now + ahead)))
            gone.append(bought * (drop if x else 0) * np.exp(-rate * last))
        return there, gone

    return of


def test_the_likelihood_is_the_mean_over_customers(baselines: Any, model: Any, seen: Any) -> None:
    """The closed form equals the likelihood of one customer, integrated over rates and drop-outs."""
    there = expectation(model, lambda rate, drop: chances(seen)(rate, drop)[0])
    gone = expectation(model, lambda rate, drop: chances(seen)(rate, drop)[1])
    np.testing.assert_allclose(np.exp(baselines.log_likelihood(model, seen)), there + gone, rtol=1e-8)
    np.testing.assert_allclose(model.alive(seen), there / (there + gone), rtol=1e-8)


def test_the_chance_of_silence_is_the_mean_over_customers(model: Any, seen: Any) -> None:
    """Given the history: gone, or there and silent for three more weeks. For no weeks it is certain."""
    of, later = chances(seen), chances(seen, ahead=3.0)
    history = expectation(model, lambda rate, drop: [a + b for a, b in zip(*of(rate, drop), strict=True)])
    silent = expectation(model, lambda rate, drop: [a + b for a, b in zip(*later(rate, drop), strict=True)])
    np.testing.assert_allclose(model.buys_nothing(seen, 3.0), silent / history, rtol=1e-8)
    np.testing.assert_allclose(model.buys_nothing(seen, 0.0), 1.0)


def test_the_expected_number_is_the_mean_over_customers(model: Any, seen: Any) -> None:
    """One who is there buys (1 - exp(-rate * drop * weeks)) / drop times in the weeks to come."""

    def buying(rate: Floats, drop: Floats) -> list[Floats]:
        each = -np.expm1(-rate * drop * 12.0) / drop
        return [there * each for there in chances(seen)(rate, drop)[0]]

    of = chances(seen)
    history = expectation(model, lambda rate, drop: [a + b for a, b in zip(*of(rate, drop), strict=True)])
    np.testing.assert_allclose(model.expected(seen, 12.0), expectation(model, buying) / history, rtol=1e-6)


def test_the_fit_is_a_maximum(baselines: Any) -> None:
    """On simulated customers: no step of 3 % in any parameter is likelier, and the rate is about theirs."""
    seen = simulated(baselines, 3000)
    fitted = baselines.fit(seen)
    best = baselines.log_likelihood(fitted, seen).sum()
    for field in ("r", "alpha", "a", "b"):
        for factor in (0.97, 1.03):
            values = {name: getattr(fitted, name) for name in ("r", "alpha", "a", "b")}
            values[field] *= factor
            assert baselines.log_likelihood(baselines.BgNbd(**values), seen).sum() < best
    assert fitted.r / fitted.alpha == pytest.approx(0.8 / 6.0, rel=0.15)


def simulated(baselines: Any, customers: int) -> Any:
    """Histories of 40 weeks, drawn step by step as the model tells it, with r 0.8, alpha 6, a 0.8, b 2.5."""
    random = np.random.default_rng(0)
    rate, drop = random.gamma(0.8, 1 / 6.0, customers), random.beta(0.8, 2.5, customers)
    repeats, last, there = np.zeros(customers), np.zeros(customers), np.ones(customers, bool)
    while there.any():
        then = last + random.exponential(1 / rate)
        there &= then <= 40.0
        repeats, last = repeats + there, np.where(there, then, last)
        there &= random.random(customers) >= drop
    return baselines.Histories(
        np.arange(customers), repeats, last, np.full(customers, 40.0), np.zeros(customers, np.int8)
    )


def test_histories_are_counted_by_days_and_cut_at_the_snapshot(baselines: Any, tmp_path: Path) -> None:
    """Two purchases on a day are one, the snapshot's day is past, and the horizon's last day counts."""
    rows = [
        (1, date(2020, 1, 1)), (1, date(2020, 1, 8)), (1, date(2020, 1, 8)), (1, date(2020, 1, 25)),
        (2, date(2020, 1, 15)), (2, date(2020, 1, 22)),
        (3, date(2020, 1, 22)), (3, date(2020, 2, 1)),
        (4, date(2020, 1, 23)),
    ]  # fmt: skip
    file = tmp_path / "purchases.parquet"
    customers, days = zip(*rows, strict=True)
    pq.write_table(pa.table({"customer_id": customers, "purchased_on": days}), file)
    seen = baselines.histories(file, date(2020, 1, 22), timedelta(days=10))
    assert seen.customer.tolist() == [1, 2, 3]
    assert seen.repeats.tolist() == [1, 1, 0]
    assert seen.last.tolist() == [1, 1, 0]
    assert seen.now.tolist() == [3, 1, 0]
    assert seen.label.tolist() == [0, 1, 0]


def test_a_table_compares_every_score_with_the_delivered_model(baselines: Any, tmp_path: Path) -> None:
    """Predictions are put in the histories' order; others than theirs are refused."""
    seen = simulated(baselines, 200)
    random = np.random.default_rng(1)
    labels = random.integers(0, 2, 200).astype(np.int8)
    seen = baselines.Histories(seen.customer, seen.repeats, seen.last, seen.now, labels)
    score = np.clip(labels + random.normal(0, 0.1, 200), 0, 1)
    file = tmp_path / "predictions.parquet"
    shuffled = random.permutation(200)
    table = pa.table({"customer_id": seen.customer, "label": labels, "score": score}).take(shuffled)
    pq.write_table(table, file)
    delivered = baselines.champion(file, seen)
    np.testing.assert_array_equal(delivered, score)
    lines = baselines.comparison(
        {"recency": seen.now - seen.last, "delivered model": delivered}, labels, replicates=20
    )
    assert lines[0] == "| score | ROC AUC (95% interval) | delivered model, minus this |"
    assert lines[3] == "| delivered model | 1.0000 (1.0000 to 1.0000) |  |"
    assert lines[2].startswith("| recency | 0.")
    pq.write_table(table.slice(1), file)
    with pytest.raises(SystemExit, match="other customers"):
        baselines.champion(file, seen)
