"""Purchases of a small shop in the form of churn's own source: delivered in seconds."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["write_purchases"]

COLUMNS = {
    "customer_id": pa.int32(),
    "purchased_on": pa.date32(),
    "cds": pa.int16(),
    "usd": pa.decimal128(8, 2),
}


def write_purchases(file: Path, customers: int) -> Path:
    """Customers who come in the first months of 18, buy every few weeks, and one day no more.

    Churn's gate wants 500 of them to judge by, and passes what is learnt from more.
    """
    random = np.random.default_rng(0)
    rows: list[tuple[int, date, int, Decimal]] = []
    for customer in range(1, customers + 1):
        day = date(2020, 1, 1) + timedelta(days=int(random.integers(0, 120)))
        last = min(day + timedelta(days=float(random.exponential(300))), date(2021, 6, 30))
        while day <= last:
            usd = Decimal(int(random.integers(500, 9000))) / 100
            rows.append((customer, day, int(random.integers(1, 5)), usd))
            day += timedelta(days=1 + int(random.exponential(20)))
    columns = zip(zip(*rows, strict=True), COLUMNS.values(), strict=True)
    pq.write_table(pa.table([pa.array(*column) for column in columns], names=list(COLUMNS)), file)
    return file
