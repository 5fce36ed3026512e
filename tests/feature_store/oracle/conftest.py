"""Random histories, definitions and spines.

Two sources: `orders` (events of a customer of a shop, which may be corrected) and `grades` (rows of features
of a customer, whose key columns are named otherwise). Few keys, days and values, and a microsecond to either
side, so that edges and ties are met often.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops_core.domain.conditions import Where
from mlops_core.domain.features import (
    Count,
    CountDistinct,
    First,
    Last,
    Latest,
    Max,
    Mean,
    Min,
    Since,
    Span,
    StdDev,
    Sum,
)
from mlops_core.domain.sources import Entity, EventSource
from mlops_core.domain.views import FeatureView, OnDemand
from tests.every_point import one_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlops_core.domain.features import AnyFeature
    from mlops_core.domain.usecase import UseCase
    from mlops_core.ports import OfflineStore

    Rows = list[dict[str, Any]]
    Define = Callable[..., UseCase]

START = datetime(2024, 1, 1, tzinfo=UTC)
TIME = pa.timestamp("us", "UTC")
ORDERS = pa.schema(
    {"shop": pa.int64(), "customer": pa.string(), "order": pa.int64(), "at": TIME, "recorded": TIME}
    | {"whole": pa.int64(), "real": pa.float64(), "money": pa.decimal128(8, 2)}
    | {"code": pa.string(), "paid": pa.bool_()}
)
GRADES = pa.schema(
    {"branch": pa.int64(), "who": pa.string(), "at": TIME, "recorded": TIME}
    | {"level": pa.int64(), "score": pa.float64(), "gold": pa.bool_(), "limit": pa.decimal128(8, 2)}
)
SPINE = pa.schema({"customer": pa.string(), "shop": pa.int64(), "event_timestamp": TIME})
SPANS = st.builds(
    lambda day, tick: timedelta(days=day, microseconds=tick), st.integers(1, 9), st.integers(-1, 1)
)
NUMBERS = st.sampled_from(["whole", "real", "money"])
WHOLE = st.integers(-(2**62), 2**62) | st.integers(0, 2) | st.sampled_from([2**53, 2**53 + 1])
MONEY = st.decimals("-999999.99", "999999.99", places=2) | st.sampled_from([Decimal("0.10"), Decimal(1)])
REAL = st.floats(-1e6, 1e6, allow_subnormal=False) | st.sampled_from([0.0, 0.1, 1.0])

moments = st.builds(
    lambda day, tick: START + timedelta(days=day, microseconds=tick), st.integers(0, 9), st.integers(-1, 1)
)
shops, customers = st.integers(0, 1), st.sampled_from(["a", "b"])
orders = st.fixed_dictionaries(
    {"shop": shops, "customer": customers, "order": st.integers(0, 9), "at": moments, "recorded": moments}
    | {"whole": st.none() | WHOLE, "real": st.none() | REAL}
    | {"money": st.none() | MONEY, "code": st.none() | st.sampled_from(["a", "b", ""])}
    | {"paid": st.none() | st.booleans()}
)
grades = st.fixed_dictionaries(
    {"branch": shops, "who": customers, "at": moments, "recorded": moments}
    | {"level": st.none() | WHOLE, "score": st.none() | REAL}
    | {"gold": st.none() | st.booleans(), "limit": st.none() | MONEY}
)
spines = st.lists(
    st.fixed_dictionaries(
        {
            "customer": st.none() | customers | st.just("c"),
            "shop": st.none() | shops,
            "event_timestamp": moments,
        }
    ),
    max_size=10,
)
conditions = st.one_of(
    st.builds(Where, st.just("code"), st.sampled_from(["==", "!="]), st.sampled_from(["a", ""])),
    st.builds(Where, st.just("code"), st.just("in"), st.sampled_from([("a", "b"), ("",)])),
    st.builds(Where, st.just("paid"), st.sampled_from(["==", "!="]), st.booleans()),
    st.builds(
        Where,
        NUMBERS,
        st.sampled_from(["==", "!=", "<", "<=", ">", ">="]),
        st.sampled_from([0, 1, -0.5, 0.1, 2**53, 2.0**53]),
    ),
    st.builds(Where, NUMBERS, st.just("in"), st.sampled_from([(0, 0.1), (1, 2**53 + 1)])),
)


@st.composite
def aggregates(draw: st.DrawFn, prefix: str, most: int = 5) -> tuple[AnyFeature, ...]:
    """One or more aggregates of any kind, window, offset, conditions and column."""
    made: list[AnyFeature] = []
    for number in range(draw(st.integers(1, most))):
        kinds = [Count, CountDistinct, Sum, Mean, Min, Max, StdDev, First, Last, Since, Span]
        kind = draw(st.sampled_from(kinds))
        looks: dict[str, Any] = {
            "window": draw(st.none() | SPANS),
            "offset": draw(st.just(timedelta(0)) | SPANS),
            "where": tuple(draw(st.lists(conditions, max_size=2))),
        }
        given = {
            Count: st.just(()),
            Span: st.just(()),
            Since: st.just(()),
            CountDistinct: st.tuples(st.sampled_from(["code", "whole", "money", "at", "recorded", "paid"])),
        }.get(kind, st.tuples(NUMBERS))
        if kind is Since:
            looks["event"] = draw(st.sampled_from(["first", "last", "previous"]))
        made.append(kind(f"{prefix}{number}", *draw(given), **looks))
    return tuple(made)


@dataclass(frozen=True)
class History:
    """Definitions and the rows of their sources."""

    use_case: UseCase
    orders: Rows
    grades: Rows

    def but(self, keep: Callable[[dict[str, Any]], bool]) -> History:
        """The same without some rows."""
        return History(
            self.use_case,
            [one for one in self.orders if keep(one)],
            [one for one in self.grades if keep(one)],
        )


def unambiguous(use_case: UseCase, orders: Rows, grades: Rows) -> History:
    """Without rows that ingestion refuses: two versions, or two rows of features, of the same instants."""
    by_id = use_case.source("orders").event_id is not None
    versions = {(one["order"], one["recorded"]) if by_id else place: one for place, one in enumerate(orders)}
    key = ["branch", "who", "at"] + ["recorded"] * bool(use_case.source("grades").created_timestamp)
    rows = {tuple(one[name] for name in key): one for one in grades}
    return History(use_case, list(versions.values()), list(rows.values()))


@st.composite
def histories(draw: st.DrawFn, define: Define, *, known: bool = False) -> History:
    """Random definitions and rows; `known` ones have created timestamps and views that obey them."""
    created = "recorded" if known else draw(st.sampled_from(["recorded", "recorded", None]))
    visibility = st.just("known") if known else st.sampled_from(["known", "event"])
    delays = st.sampled_from([timedelta(0), timedelta(microseconds=1), timedelta(days=1)])
    wanted = draw(st.lists(st.sampled_from(["level", "score", "gold", "limit"]), min_size=1, unique=True))
    views = (
        FeatureView(
            name="by_shop", source="orders", entity="shop", features=draw(aggregates("s", 2)),
            visibility=draw(visibility),
        ),
        FeatureView(
            name="grades", source="grades", features=tuple(Latest(f"g_{name}", name) for name in wanted),
            on=("who", "branch"), ttl=draw(st.none() | SPANS), visibility=draw(visibility),
        ),
    )  # fmt: skip
    order = {"delay": draw(delays), "event_id": created and draw(st.sampled_from(["order", None]))}
    graded = EventSource(name="grades", event_timestamp="at", created_timestamp=created, delay=draw(delays))
    use_case = define(
        *draw(aggregates("f")), created=created, visibility=draw(visibility), key=("customer", "shop"),
        horizon=draw(SPANS), summed=draw(st.none() | NUMBERS), order=order, views=views, sources=(graded,),
        entities=(Entity(name="shop", key="shop"),),
        on_demand=(OnDemand("d", f"coalesce(f0, 1) / (g_{wanted[0]} - s0)"),),
    )  # fmt: skip
    return unambiguous(
        use_case,
        draw(st.lists(orders, min_size=1, max_size=20)),
        draw(st.lists(grades, min_size=1, max_size=12)),
    )


@pytest.fixture
def draw_history(define: Define) -> Callable[..., History]:
    """Draws a random history; `known` ones have created timestamps and views that obey them."""
    return lambda data, *, known=False: data.draw(histories(define, known=known))


@pytest.fixture
def draw_spine() -> Callable[..., pa.Table]:
    """Draws a random spine; with `at`, all its rows are of that instant."""

    def run(data: st.DataObject, at: datetime | None = None) -> pa.Table:
        table = pa.Table.from_pylist(data.draw(spines), SPINE)
        if at is None:
            return table
        return table.set_column(2, "event_timestamp", pa.array([at] * table.num_rows, TIME))

    return run


@pytest.fixture
def stored(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, Path]]:
    """Ingests a history: the canonical events by source."""

    def run(store: OfflineStore, history: History) -> dict[str, Path]:
        folder, use_case = tmp_path_factory.mktemp("oracle"), history.use_case
        tables = {
            "orders": pa.Table.from_pylist(history.orders, ORDERS),
            "grades": pa.Table.from_pylist(history.grades, GRADES),
        }
        for name, table in tables.items():
            store.ingest(use_case, use_case.source(name), table, folder / f"{name}.parquet")
        return {name: folder / f"{name}.parquet" for name in tables}

    return run


# Engines of which a question takes long; others: 12 times with the live tests, every night 100.
SLOW = {"spark": 3, "feast": 5}
MANY = 100 // one_in(8)


@pytest.fixture(params=["few", pytest.param("many", marks=pytest.mark.live)])
def always(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Decides whether a property holds: `few` examples every time, many with the live tests."""

    asked = request.node.callspec.params
    engine = asked.get("engine") or asked.get("store")
    if engine in SLOW and (request.param == "many" or "engine" not in asked):
        pytest.skip(f"{engine} takes too long for more than a few comparisons with brute force")

    def run(holds: Callable[[st.DataObject], None], few: int) -> None:
        examples = SLOW.get(engine, few // one_in(2)) if request.param == "few" else MANY
        chosen = settings(max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        chosen(given(st.data())(holds))()

    return run
