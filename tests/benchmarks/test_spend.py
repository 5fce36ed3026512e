"""The baselines of spend."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.spend import gamma_gamma, spent

if TYPE_CHECKING:
    from pathlib import Path


def test_dollars_are_those_of_the_days_asked_for(tmp_path: Path) -> None:
    """The snapshot's own day is before it; who comes later is no row."""
    days = [date(1998, 1, 1), date(1998, 3, 31), date(1998, 4, 1), date(1998, 6, 29), date(1998, 6, 30)]
    table = pa.table(
        {
            "customer_id": [1, 1, 1, 1, 1, 2],
            "purchased_on": [*days, date(1998, 4, 2)],
            "usd": [1.0, 2.0, 4.0, 8.0, 16.0, 32.0],
        }
    )
    pq.write_table(table, tmp_path / "events.parquet")
    for between, dollars in (((0, 90), 12.0), ((-10_000, 0), 3.0), ((-1, 0), 2.0)):
        customers, sums = spent(tmp_path / "events.parquet", *between)
        assert (customers.tolist(), sums.tolist()) == ([1], [dollars])


def test_few_days_are_drawn_to_the_mean_of_all_and_many_are_not() -> None:
    """Which is what the model is for."""
    random = np.random.default_rng(1)
    days = random.integers(1, 20, 500).astype(np.float64)
    own = 5.0 / random.gamma(4.0, 1 / 15.0, 500)
    mean = random.gamma(5 * days, own / (5 * days))
    days[:2], mean[:2] = [1, 100], [200.0, 200.0]
    expected = gamma_gamma(days, mean)
    assert mean.mean() < expected[0] < 0.8 * 200
    assert 0.9 * 200 < expected[1] < 200
