"""What aggregates do at the far ends of numbers, text, threads and memory; and latest values in SQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from statistics import stdev
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_core.adapters.feature_store.columns import feature_groups
from mlops_core.adapters.feature_store.duckdb import DuckDBOfflineStore
from mlops_core.adapters.feature_store.duckdb_events import EventsFile
from mlops_core.adapters.feature_store.duckdb_session import duckdb_session
from mlops_core.adapters.feature_store.newest.latest import latest_values
from mlops_core.adapters.feature_store.spine import Spine
from mlops_core.adapters.feature_store.sql.events import EventColumn, Events
from mlops_core.adapters.feature_store.sql.limbs import sum_limbs
from mlops_core.adapters.feature_store.sql.queries import latest_query
from mlops_core.domain.conditions import Where
from mlops_core.domain.features import (
    Count,
    CountDistinct,
    First,
    Last,
    Latest,
    Mean,
    Since,
    StdDev,
    Sum,
)
from mlops_core.domain.time import days
from mlops_core.domain.views import FeatureView
from mlops_core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlops_core.domain.conditions import Operator
    from mlops_core.domain.features import AnyFeature
    from mlops_core.domain.usecase import UseCase

    Define = Callable[..., UseCase]
    Ask = Callable[..., dict[str, list[object]]]
    Ingested = Callable[..., dict[str, Path]]

T = datetime(2024, 3, 31, 12, tzinfo=UTC)
TIME = pa.timestamp("us", "UTC")


def orders(*at: datetime, **columns: object) -> pa.Table:
    """Orders of customer 1 at these instants, with further columns."""
    return pa.table({"customer": [1] * len(at), "at": list(at), **columns})


@pytest.mark.parametrize(
    "values",
    [
        [1e6, 1e6 + 0.001],
        [1e15, 1e15 + 0.125, 1e15 + 0.25],
        [1e-200, 3e-200],
        [1e300, -1e300, 5.0],
        [2**62, 2**62 + 1, -(2**62)],
        [2**62 + 1, 2**62 + 2],
        [Decimal("100000000000.0001"), Decimal("100000000000.0002")],
        [Decimal("-0.5"), Decimal("0.5"), None, Decimal(0)],
        [Decimal("0.123456789012345678"), Decimal("0.123456789012345679")],
        [Decimal("12345678901234567890.5"), Decimal("1.5"), Decimal("0.0001")],
    ],
)
def test_standard_deviations_are_exact_however_close_the_values_lie(
    define: Define, ask: Ask, values: list[Any]
) -> None:
    """Against exact fractions, where a difference of squares in floats would have no digit left."""
    found = ask(define(StdDev("d", "x")), orders(*[T] * len(values), x=values), (1, T))
    expected = float(stdev(Fraction(value) for value in values if value is not None))
    assert found["d"] == [pytest.approx(expected, rel=1e-14, abs=0)]


@pytest.mark.parametrize("value", [0.1, 1 / 3, 1e22, -7e-30, 2**62 + 1, Decimal("0.1")])
def test_equal_values_deviate_by_nothing(define: Define, ask: Ask, value: object) -> None:
    """Exactly 0, and null for a single one or none."""
    use_case = define(StdDev("d", "x"), StdDev("one", "x", window=days(1)))
    table = orders(T, T - days(2), T - days(3), x=[value] * 3)
    assert ask(use_case, table, (1, T), (2, T)) == {"d": [0.0, None], "one": [None, None]}


def test_a_sum_beyond_the_range_of_floats_is_an_error_and_a_mean_is_not(define: Define, ask: Ask) -> None:
    """The error names feature and column; infinity is never a value."""
    table = orders(T, T, x=[1.5e308, 1.7e308])
    assert ask(define(Mean("m", "x")), table, (1, T))["m"] == [pytest.approx(1.6e308, rel=1e-12)]
    with pytest.raises(DataError, match=r"feature 'total' over column 'x' .*range of float64"):
        ask(define(Sum("total", "x")), table, (1, T))
    far_apart = orders(T, T, x=[-1.7e308, 1.7e308])
    with pytest.raises(DataError, match=r"feature 'spread' over column 'x' .*range of float64"):
        ask(define(StdDev("spread", "x")), far_apart, (1, T))


HOSTILE = [
    "it's",
    "'; DROP TABLE spine; --",
    '"',
    "\\",
    "\\' OR 1 = 1 --",
    "é\u0301",
    "日本",
    "%_",
    "a\nb",
    "",
]


@pytest.mark.parametrize("value", HOSTILE)
def test_text_in_conditions_is_nothing_but_text(define: Define, ask: Ask, value: str) -> None:
    """Quotes, escapes, comments, patterns and any script: equal to itself alone."""
    table = orders(*[T] * (len(HOSTILE) + 1), code=[*HOSTILE, None])
    features = (
        Count("same", where=(Where("code", "==", value),)),
        Count("other", where=(Where("code", "!=", value),)),
        Count("listed", where=(Where("code", "in", (value, "elsewhere")),)),
    )
    assert ask(define(*features), table, (1, T)) == {"same": [1], "other": [len(HOSTILE) - 1], "listed": [1]}


@pytest.mark.parametrize("value", [10**400, -(10**400), 2**63, -(2**63), 0.5, 2**53 + 1, 1e308, -0.0])
@pytest.mark.parametrize("operator", ["==", "!=", "<", "<=", ">", ">="])
def test_numbers_in_conditions_may_be_of_any_size(
    define: Define, ask: Ask, operator: Operator, value: float
) -> None:
    """Compared as numbers are, whatever the types of column and value."""
    columns: dict[str, list[Any]] = {
        "whole": [-(2**63), 2**53, 2**53 + 1, 0, 2**63 - 1, None],
        "real": [-1.7e308, 2.0**53, 0.5, 0.0, 1e308, None],
        "money": [
            Decimal("-9999.99"),
            Decimal("0.50"),
            Decimal("0.49"),
            Decimal(0),
            Decimal("9999.99"),
            None,
        ],
    }
    features = [Count(name, where=(Where(name, operator, value),)) for name in columns]
    compare = {"==": "__eq__", "!=": "__ne__", "<": "__lt__", "<=": "__le__", ">": "__gt__", ">=": "__ge__"}
    found = ask(define(*features), orders(*[T] * 6, **columns), (1, T))
    for name, values in columns.items():
        kept = [one for one in values if one is not None]
        expected = sum(getattr(Fraction(one), compare[operator])(Fraction(value)) for one in kept)
        assert found[name] == [expected], name


@pytest.mark.live
@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300), min_size=1)
)
def test_limbs_of_a_float_lose_nothing(values: list[float]) -> None:
    """The limbs of every value add up to it, to 2**-960, whatever else the column holds."""
    sizes = [abs(value) for value in values]
    magnitudes = {"x": (min((size for size in sizes if size), default=0.0), max(sizes))}
    limbs = sum_limbs(EventColumn(name="x", kind="float"), Events(relation="", magnitudes=magnitudes))
    texts = ", ".join(f"{text} AS l{place}" for place, text in enumerate(limbs.of_float("x")))
    with duckdb_session(threads=1, memory_limit=None) as connection:
        connection.register("numbers", pa.table({"x": values}))
        rows = connection.sql(f"SELECT {texts} FROM numbers").fetchall()  # noqa: S608 - every name is ours
    for value, row in zip(values, rows, strict=True):
        total = sum(Fraction(limb) * Fraction(unit) for limb, unit in zip(row, limbs.units, strict=True))
        assert abs(total - Fraction(value)) <= Fraction(2) ** -960


@pytest.mark.live
def test_threads_and_memory_have_no_say(define: Define, tmp_path: Path) -> None:
    """Bit for bit: one thread or four, with room or in 60 MB, which is too little for the pairs."""
    features: list[AnyFeature] = [
        Sum("s", "x"), Mean("m", "x", window=days(60)), StdDev("d", "x"), First("f", "x"), Last("l", "x"),
        CountDistinct("c", "code", window=days(90)), Since("p", event="previous"),
        CountDistinct("w", "code", where=(Where("x", ">", 0),)),
        Sum("o", "x", window=days(30), offset=days(30)),
    ]  # fmt: skip
    use_case, random = define(*features), np.random.default_rng(0)

    def moments(rows: int) -> pa.Array:
        return pa.array(1_700_000_000_000_000 + random.integers(0, 365 * 86_400, rows) * 10**6).cast(TIME)

    rows = 200_000
    table = pa.table({"customer": random.integers(0, 2_000, rows), "at": moments(rows)})
    table = table.append_column(
        "x", pa.array(random.normal(0, 1, rows) * 10.0 ** random.integers(-9, 9, rows))
    )
    table = table.append_column("code", pa.array(random.integers(0, 50, rows)))
    spine = pa.table({"customer": random.integers(0, 2_000, 20_000), "event_timestamp": moments(20_000)})
    path = tmp_path / "orders.parquet"
    DuckDBOfflineStore().ingest(use_case, use_case.source("orders"), table, path)
    stores = [DuckDBOfflineStore(threads=1), DuckDBOfflineStore(threads=4)]
    stores.append(DuckDBOfflineStore(threads=2, memory_limit="60MB"))
    first, *others = [store.features(use_case, {"orders": path}, spine) for store in stores]
    assert first["d"].null_count < first.num_rows
    assert all(other.equals(first) for other in others)


@pytest.mark.parametrize(
    ("created", "visibility", "versions"),
    [
        (None, "known", False),
        ("recorded", "known", False),
        ("recorded", "event", False),
        ("recorded", "known", True),
        ("recorded", "event", True),
    ],
)
@pytest.mark.parametrize("known_at", [None, T - days(15)])
def test_latest_values_in_sql_are_those_of_the_search(
    define: Define,
    tmp_path: Path,
    created: str | None,
    visibility: str,
    versions: bool,
    known_at: datetime | None,
) -> None:
    """The window over rows and moments, and the range join where versions go again."""
    random = np.random.default_rng(2)
    latest = FeatureView.model_validate(
        {"name": "rates", "source": "orders", "visibility": visibility, "ttl": days(9)}
        | {"features": (Latest("whole"), Latest("real"), Latest("paid"), Latest("money"))}
    )
    order = {"delay": timedelta(hours=5), "event_id": "order" if versions else None}
    use_case = define(created=created, views=(latest,), key=("customer", "shop"), order=order)
    moments = random.choice(24 * 60, 300, replace=False)
    table = pa.table(
        {
            "customer": random.integers(0, 3, 300),
            "shop": random.choice(["a", "b"], 300),
            "order": random.integers(0, 90, 300),
            "at": [T - timedelta(hours=int(one)) for one in moments],
            "recorded": [T - timedelta(hours=int(one), minutes=7) for one in random.permutation(moments)],
            "whole": [None if one % 5 == 0 else int(one) + 2**60 for one in moments],
            "real": [float(one) for one in moments],
            "paid": [bool(one % 2) for one in moments],
            "money": [Decimal(int(one)) / 4 for one in moments],
        }
    )
    path = tmp_path / "orders.parquet"
    DuckDBOfflineStore().ingest(use_case, use_case.source("orders"), table, path)
    spine = pa.table(
        {
            "customer": pa.array([*random.integers(0, 4, 400), None], pa.int64()),
            "shop": random.choice(["a", "b"], 401),
            "event_timestamp": [T - timedelta(hours=int(one)) for one in random.integers(-9, 24 * 60, 401)],
        }
    )
    (group,) = feature_groups(use_case)
    asked = Spine.of(spine, use_case.entity.keys)
    expected = latest_values(group, path, asked, as_known_at=known_at)
    needed = ["customer", "shop", "at", *([created] if created else []), *(["order"] if versions else [])]
    file = EventsFile(path, group.source, [*needed, "whole", "real", "paid", "money"], known_at)
    events = file.relation([theirs for _, theirs in group.keys], recorded=group.recorded)
    with duckdb_session(threads=2, memory_limit=None) as connection:
        connection.register("spine", file.spine(asked, group.keys))
        found = connection.sql(latest_query(events, group)).to_arrow_table()
    for number, feature in enumerate(group.features):
        assert found[f"f{number}"].to_pylist() == expected[feature.name].to_pylist(), feature.name
    assert 0 < found["f1"].null_count < 400
