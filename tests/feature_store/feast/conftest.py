"""A Python with Feast, and a shop that uses all that a Feast repository can say."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from mlops_core.adapters.feature_store.canonical import write_events
from mlops_core.adapters.feature_store.feast import FeastOfflineStore
from mlops_core.adapters.feature_store.memory import MemoryOfflineStore
from mlops_core.definitions import (
    Count,
    Entity,
    EventSource,
    FeatureService,
    FeatureView,
    GatePolicy,
    Latest,
    LogisticRegression,
    Mean,
    NoEventWithin,
    OnDemand,
    UseCase,
    days,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

START = datetime(2024, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
TIME = pa.timestamp("us", "UTC")
BIG = 2**60 + 1


@pytest.fixture(scope="session")
def offline(feast_python: Path) -> Iterator[FeastOfflineStore]:
    """Feast, with the oracle in place of the embedded store: one process for all tests."""
    store = FeastOfflineStore(python=feast_python, embedded=MemoryOfflineStore())
    yield store
    store.close()


@pytest.fixture
def oracle() -> MemoryOfflineStore:
    """Brute force."""
    return MemoryOfflineStore()


@dataclass(frozen=True)
class Shop:
    """Definitions, events and a spine."""

    use_case: UseCase
    events: dict[str, Path]
    spine: pa.Table


def spine(*rows: tuple[str | None, int | None, timedelta]) -> pa.Table:
    """Rows (shop, id, time since the start), numbered in a further column."""
    return pa.table(
        {
            "shop": pa.array([row[0] for row in rows], pa.string()),
            "id": pa.array([row[1] for row in rows], pa.int32()),
            "event_timestamp": pa.array([START + row[2] for row in rows], TIME),
            "number": list(range(len(rows))),
        }
    )


@pytest.fixture
def make_shop(tmp_path: Path) -> Callable[..., Shop]:
    """Makes the shop; the arguments are fields of its view `scored`, or `source` for those of its source."""

    def make(source: dict[str, Any] | None = None, **view: Any) -> Shop:
        shop = _definitions(source or {}, view)
        return Shop(shop, _events(tmp_path / "events", shop), spine(*_ROWS))

    return make


_ROWS: tuple[tuple[str | None, int | None, timedelta], ...] = (
    *(("a", 1, hours * HOUR) for hours in (30, -1, 0, 1, 5, 8, 9, 36, 37, 38)),
    *(("b", 1, hours * HOUR) for hours in (1, 2, 3, 40)),
    ("b", 1, 2 * HOUR),  # again
    ("unknown", 1, 9 * HOUR),
    (None, 1, 9 * HOUR),
    ("a", None, 9 * HOUR),
    ("a", 1, 37 * HOUR + timedelta(microseconds=1)),
)


def _definitions(source: dict[str, Any], view: dict[str, Any]) -> UseCase:
    columns = {"at": "timestamp", "recorded": "timestamp", "shop": "text", "a": "number", "big": "integer"}
    scores = {"name": "scores", "event_timestamp": "at", "created_timestamp": "recorded", "columns": columns}
    scored = {
        "name": "scored",
        "source": "scores",
        "entity": "shop",
        "features": (Latest("a"), Latest("big")),
    }
    return UseCase(
        name="shop",
        entity=Entity(name="customer", key=("shop", "id")),
        entities=(Entity(name="shop", key="shop"),),
        sources=(
            EventSource(name="orders", event_timestamp="at"),
            EventSource.model_validate(scores | source),
        ),
        views=(
            FeatureView(name="class", source="orders", features=(Count("n"), Mean("m", "v", window=days(2)))),
            FeatureView.model_validate(scored | view),
            FeatureView(
                name="happened",
                source="scores",
                entity="shop",
                visibility="event",
                features=(Latest("a_happened", "a"),),
            ),
        ),
        on_demand=(OnDemand("trend", "(n - 2) / big + coalesce(m, 0)"),),
        services=(FeatureService(name="model", features=("n", "m", "a", "big", "trend")),),
        label=NoEventWithin(name="gone", source="orders", horizon=days(3)),
        candidates=(LogisticRegression(),),
        gate=GatePolicy(floor=0.5),
    )


def _events(folder: Path, use_case: UseCase) -> dict[str, Path]:
    orders = {
        "shop": ["a", "a", "b"],
        "id": [1, 2, 1],
        "at": pa.array([START, START + HOUR, START + 5 * HOUR], TIME),
        "v": [1.0, 2.0, None],
    }
    tied = use_case.source("scores").created_timestamp is not None  # otherwise nothing tells them apart
    at, recorded = (0, 4, 0, 0 if tied else 2, 2), (0, 9, 0, 2, 2)
    scores = {
        "shop": ["a", "a", "b", "b", "c"],
        "at": pa.array([START + hours * HOUR for hours in at], TIME),
        "recorded": pa.array([START + hours * HOUR for hours in recorded], TIME),
        "a": [1.0, 2.0, None, 4.0, 0.1],
        "big": pa.array([BIG, None, BIG + 2, BIG + 4, 0], pa.int64()),
    }
    if use_case.source("scores").event_id is not None:
        scores["event"] = pa.array([1, 1, 2, 2, 3], pa.int64())
    paths = {}
    for name, columns in (("orders", orders), ("scores", scores)):
        paths[name] = folder / f"{name}.parquet"
        write_events(pa.table(columns), paths[name])
    return paths


@pytest.fixture
def feast(feast_python: Path) -> Callable[..., str]:
    """Runs Feast's own command in a repository and returns what it says; it must succeed."""

    def run(repository: Path, *words: str) -> str:
        done = subprocess.run(  # noqa: S603 - Feast's own command, no shell
            [str(feast_python), "-m", "feast.cli.cli", *words],
            cwd=repository,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run
