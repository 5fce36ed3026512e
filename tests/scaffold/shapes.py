"""Events of other shapes than the bundled ones, as people have them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["SHAPES", "days_of", "write"]

FIRST = datetime(2023, 1, 1, tzinfo=UTC)


def days_of(entities: int, *, pause: float, span: int = 400, seed: int = 3) -> list[tuple[int, float]]:
    """(entity, days after the first): each entity goes on for a while, then stays away."""
    random = np.random.default_rng(seed)
    found = []
    for entity in range(entities):
        at, left = float(random.uniform(0, span / 3)), float(random.exponential(span))
        while at < min(span, left + span / 3):
            found.append((entity, at))
            at += 0.2 + float(random.exponential(pause))
    return found


def _visits(entities: int = 60) -> dict[str, Any]:
    """Text keys of two columns, zones, a time of recording, amounts below zero, names as in a spreadsheet."""
    random = np.random.default_rng(5)
    rows = days_of(entities, pause=20)
    times = [FIRST + timedelta(days=at) for _, at in rows]
    return {
        "Filiale": [f"F{entity % 3}" for entity, _ in rows],
        "Kunden Nr": [f"0{entity}" for entity, _ in rows],
        "Zeitpunkt": pa.array(times, pa.timestamp("ms", "Europe/Berlin")),
        "created_at": pa.array([one + timedelta(hours=5) for one in times], pa.timestamp("us", "UTC")),
        "Umsatz (€)": random.normal(20, 30, len(rows)).round(2),
        "class": random.choice(["A", "B", "C"], len(rows)).tolist(),
        "Online?": random.random(len(rows)) < 0.5,
        "note": [None] * len(rows),
        "belegId": list(range(1, len(rows) + 1)),
    }


def _sparse(entities: int = 300) -> dict[str, Any]:
    """Few events each, dates, integers; written as CSV."""
    rows = days_of(entities, pause=90)
    return {
        "device_id": [entity for entity, _ in rows],
        "day": [(FIRST + timedelta(days=at)).date() for _, at in rows],
        "alarms": [entity % 7 for entity, _ in rows],
        "firmware": [f"1.{entity % 4}" for entity, _ in rows],
    }


def _few() -> dict[str, Any]:
    """Hardly any rows, naive timestamps."""
    rows = days_of(8, pause=15)
    return {
        "account": [f"a{entity}" for entity, _ in rows],
        "ts": pa.array([(FIRST + timedelta(days=at)).replace(tzinfo=None) for _, at in rows]),
        "minutes": [1.5 * entity for entity, _ in rows],
    }


def _purchases() -> dict[str, Any]:
    """The columns of the bundled file."""
    rows = days_of(150, pause=25)
    return {
        "customer_id": pa.array([entity for entity, _ in rows], pa.int32()),
        "purchased_on": [date(2023, 1, 1) + timedelta(days=at) for _, at in rows],
        "cds": pa.array([1 + entity % 3 for entity, _ in rows], pa.int16()),
        "usd": [10.0 + entity % 30 for entity, _ in rows],
    }


SHAPES = {
    "purchases": (_purchases, "purchases.parquet", "--key customer_id --time purchased_on"),
    "visits": (_visits, "visits.parquet", "--key Filiale Kunden\\ Nr --time Zeitpunkt --created created_at"),
    "sparse": (_sparse, "alarms.csv", "--key device_id --time day"),
    "few": (_few, "Few Rows.parquet", "--key account --time ts"),
}
"""Rows, the file's name and the options that say what each is of."""


def write(shape: str, folder: Path) -> Path:
    """The file of a shape."""
    make, name, _ = SHAPES[shape]
    path, table = folder / name, pa.table(make())
    (pacsv.write_csv if name.endswith(".csv") else pq.write_table)(table, path)
    return path
