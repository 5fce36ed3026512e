"""A source's own rules, and rows that must differ: what breaks them, and how it is said."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlops_core.adapters.feature_store.ingest.ingestion import ingest_file
from mlops_core.domain.features import Count, Latest, Sum
from mlops_core.domain.rules import Fresh, InRange, Matches, NotNull, OneOf, Unique, Volume
from mlops_core.domain.views import FeatureView
from mlops_core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlops_core.domain.rules import AnyRule
    from mlops_core.domain.usecase import UseCase

    Define = Callable[..., UseCase]
    Ingest = Callable[..., pa.Table]

T = datetime(2024, 3, 31, 12, tzinfo=UTC)


@pytest.fixture
def ingest(tmp_path: Path) -> Ingest:
    """Ingests a table, or the text of a CSV file, and reads the canonical events back."""

    def run(use_case: UseCase, given: pa.Table | str) -> pa.Table:
        into = tmp_path / "events.parquet"
        path = tmp_path / "orders.csv"
        if isinstance(given, str):
            path.write_text(given)
        data = path if isinstance(given, str) else given
        into.unlink(missing_ok=True)
        try:
            ingest_file(use_case, use_case.sources[0], data, into)
        except DataError:
            assert not into.exists()
            raise
        return pq.read_table(into)

    return run


def orders(**columns: Any) -> pa.Table:
    """As many orders as the columns have."""
    rows = len(next(iter(columns.values())))
    return pa.table({"customer": [1] * rows, "at": [T] * rows, "usd": [1] * rows} | columns)


KEPT: list[tuple[AnyRule, dict[str, Any]]] = [
    (NotNull("usd"), {"usd": [0, 1]}),
    (InRange("usd", 0, 10_000), {"usd": [0, None, 10_000]}),
    (InRange("usd", low=0.5), {"usd": [0.5, 1e300]}),
    (InRange("usd", high=1e300), {"usd": [2**63 - 1, -(2**63)]}),
    (InRange("usd", high=2**53), {"usd": [2**53]}),
    (InRange("usd", 0, 0.1), {"usd": [Decimal("0.10"), Decimal("0.00")]}),
    (OneOf("code", ("a", "b")), {"code": ["a", None, "b"]}),
    (OneOf("code", ("a", "b")), {"code": pa.array(["a", None, "b"]).dictionary_encode()}),
    (OneOf("usd", (1, 2.0, 0.5)), {"usd": [2, 1]}),
    (OneOf("usd", (1, 0.1)), {"usd": [Decimal("0.10"), Decimal("1.00")]}),
    (OneOf("paid", (True,)), {"paid": [True, None]}),
    (Matches("code", "[a-z]|9"), {"code": ["x", "9", None]}),
    (Matches("code", "(?i)x+"), {"code": ["xX"]}),
    (Unique(("customer", "code")), {"code": ["a", "b", None, None]}),
    (Unique(("day",)), {"day": [date(2024, 1, 1), date(2024, 1, 2)]}),
    (Fresh(timedelta(days=1)), {"usd": [1]}),
    (Volume(), {"usd": [1]}),
]


@pytest.mark.parametrize(("rule", "columns"), KEPT)
def test_rows_that_keep_a_rule_are_stored(
    ingest: Ingest, define: Define, rule: AnyRule, columns: dict[str, Any]
) -> None:
    """Nulls break none but their own; columns that have a rule alone are not stored."""
    found = ingest(define(Sum("s", "usd"), order={"rules": (rule,)}), orders(**columns))
    assert found.schema.names == ["customer", "at", "usd"]
    assert found.num_rows == len(next(iter(columns.values())))


BROKEN: list[tuple[AnyRule, dict[str, Any], str]] = [
    (NotNull("usd"), {"usd": [None, 1]}, "usd is null against its rule in row 1"),
    (InRange("usd", 0, 10_000), {"usd": [-1, 0, 10_001, None]}, "usd is outside 0 to 10000 in rows 1, 3"),
    (InRange("usd", low=0.5), {"usd": [0, 1]}, "usd is below 0.5 in row 1"),
    (InRange("usd", high=0.5), {"usd": [0, 1]}, "usd is above 0.5 in row 2"),
    (InRange("usd", high=2**53), {"usd": [2**53 + 1]}, "usd is above 9007199254740992 in row 1"),
    (InRange("usd", low=1e300), {"usd": [2**63 - 1]}, r"usd is below 1e\+300 in row 1"),
    (InRange("usd", high=0.1), {"usd": [Decimal("0.11")]}, "usd is above 0.1 in row 1"),
    (OneOf("code", ("a", "b")), {"code": ["a", "c"]}, "code is not one of 'a', 'b' in row 2"),
    (OneOf("usd", (1.5, 2)), {"usd": [1, 2]}, "usd is not one of 1.5, 2 in row 1"),
    (OneOf("usd", tuple(range(9))), {"usd": [9]}, "usd is not one of 0, 1, 2, 3, 4, … in row 1"),
    (OneOf("paid", (True,)), {"paid": [False]}, "paid is not one of True in row 1"),
    (
        Matches("code", "[a-z]|9"),
        {"code": ["x9", "\n", "x\n"]},
        r"code does not match \[a-z\]\|9 in rows 1, 2, 3",
    ),
    (Unique(("usd",)), {"usd": [3, 2, 3, None, 3]}, "usd is not unique in rows 1, 3, 5"),
    (Unique(("customer", "code")), {"code": ["a", "a", "b"]}, "customer, code are not unique in rows 1, 2"),
]


@pytest.mark.parametrize(("rule", "columns", "message"), BROKEN)
def test_rows_that_break_a_rule_are_refused(
    ingest: Ingest, define: Define, rule: AnyRule, columns: dict[str, Any], message: str
) -> None:
    """Naming column, rule and rows."""
    use_case = define(Sum("s", "usd"), order={"rules": (rule,)})
    with pytest.raises(DataError, match=f"^orders: .* break its contract: {message}. Mend or remove"):
        ingest(use_case, orders(**columns))


UNFIT: list[tuple[AnyRule, dict[str, Any], str]] = [
    (InRange("code", 0), {"code": ["1"]}, "rule in_range needs code to be a number, found string"),
    (OneOf("usd", ("1",)), {"usd": [1]}, "rule one_of needs usd to be text, found int64"),
    (OneOf("usd", (True,)), {"usd": [1]}, "rule one_of needs usd to be true or false, found int64"),
    (OneOf("usd", (1, "1")), {"usd": [1]}, "rule one_of of usd lists number and text, not one kind"),
    (Matches("usd", "1"), {"usd": [1]}, "rule matches needs usd to be text, found int64"),
    (Unique(("code",)), {"code": [[1]]}, r"rule unique cannot compare code \(list<.*>\)"),
]


@pytest.mark.parametrize(("rule", "columns", "message"), UNFIT)
def test_a_rule_that_does_not_fit_its_column_is_named(
    ingest: Ingest, define: Define, rule: AnyRule, columns: dict[str, Any], message: str
) -> None:
    """It is the definition that is to be mended."""
    use_case = define(Sum("s", "usd"), order={"rules": (rule,)})
    with pytest.raises(DataError, match=f"^orders: {message}. Mend the file or the definitions"):
        ingest(use_case, orders(**columns))


def test_one_error_names_what_breaks_the_contract_and_the_rules(ingest: Ingest, define: Define) -> None:
    """A row that breaks something else is not asked to be unique."""
    rules = (Unique(("code",)), InRange("usd", 0), NotNull("code"))
    use_case = define(Sum("s", "usd"), order={"rules": rules})
    with pytest.raises(DataError) as caught:
        ingest(
            use_case,
            orders(customer=[1, 1, None, 1], usd=[-1.0, 1, 1, float("-inf")], code=["a", "a", "b", None]),
        )
    assert str(caught.value) == (
        "orders: 3 of 4 rows break its contract: customer is null in row 3; usd is not a finite number in "
        "row 4; usd is below 0 in row 1; code is null against its rule in row 4. Mend or remove these rows, "
        "then run again. Nothing was stored."
    )


def test_rules_on_csv_judge_what_its_text_says(ingest: Ingest, define: Define) -> None:
    """Numbers as numbers, in columns that are stored and in those that are not."""
    rules = (InRange("usd", 1, 9), InRange("extra", 0), OneOf("paid", (True,)), Matches("customer", "0.*"))
    use_case = define(Sum("s", "usd"), order={"rules": rules})
    header = "customer,at,usd,extra,paid\n"
    fine = ingest(use_case, f"{header}01,2024-01-01,5.5,1e3,1\n")
    assert fine.schema.names == ["customer", "at", "usd"]
    rows = "01,2024-01-01,10,x,true\n11,2024-01-01,?,-1,no\n"
    with pytest.raises(DataError) as caught:
        ingest(use_case, header + rows)
    assert (
        "usd is not a number in row 2; usd is outside 1 to 9 in row 1; extra is not a number in row 1; "
        "extra is below 0 in row 2; paid is not true or false in row 2; "
        "customer does not match 0.* in row 2. Mend"
    ) in str(caught.value)


def test_a_column_of_a_rule_must_be_there(ingest: Ingest, define: Define) -> None:
    """As any that is read."""
    use_case = define(Sum("s", "usd"), order={"rules": (NotNull("code"),)})
    with pytest.raises(DataError, match="the Arrow table lacks 'code'"):
        ingest(use_case, orders(usd=[1]))


def test_a_column_of_a_rule_is_what_it_is_declared_to_be(ingest: Ingest, define: Define) -> None:
    """Though it is not stored."""
    declared = {"customer": "integer", "at": "timestamp", "usd": "number", "code": "text"}
    use_case = define(Sum("s", "usd"), order={"rules": (NotNull("code"),), "columns": declared})
    with pytest.raises(DataError, match="orders: code is declared text, found int64"):
        ingest(use_case, orders(code=[1]))


def test_rows_of_features_that_say_the_same_are_one(ingest: Ingest, define: Define) -> None:
    """Of plain events two that are equal are two."""
    table = orders(usd=[1, 1, None, None], customer=[1, 1, 2, 2])
    assert ingest(define(Latest("usd")), table)["customer"].to_pylist() == [1, 2]
    assert ingest(define(Sum("s", "usd")), table).num_rows == 4
    both = define(Latest("usd"), views=(FeatureView(name="n", source="orders", features=(Count("c"),)),))
    assert ingest(both, table).num_rows == 2


def test_rows_of_features_that_differ_at_one_time_are_refused(ingest: Ingest, define: Define) -> None:
    """Unless they were recorded at different times; a null differs from a value."""
    table = orders(usd=[1, 2, 3, None], customer=[1, 1, 2, 2], seen=[T, T, T, T + timedelta(days=1)])
    with pytest.raises(
        DataError, match=r"customer, at, seen are equal but the rest differs in rows 1, 2\. Mend"
    ):
        ingest(define(Latest("usd"), created="seen"), table)
    with pytest.raises(
        DataError, match=r"customer, at are equal but the rest differs in rows 1, 2, 3, 4\. Mend"
    ):
        ingest(define(Latest("usd")), table)


def test_rows_are_told_apart_by_the_keys_of_each_view(ingest: Ingest, define: Define) -> None:
    """A shop's rent is one, whoever buys there."""
    view = FeatureView(name="of_shop", source="orders", entity="shop", features=(Latest("usd"),))
    use_case = define(
        Count("n"), views=(view,), key=("customer", "shop"), entities=({"name": "shop", "key": "shop"},)
    )
    table = orders(customer=[2, 1, 3], shop=[7, 7, 8], usd=[1, 2, 3])
    with pytest.raises(DataError, match=r"shop, at are equal but the rest differs in rows 1, 2\. Mend"):
        ingest(use_case, table)


def test_versions_of_an_event_are_told_apart_by_when_they_were_recorded(
    ingest: Ingest, define: Define
) -> None:
    """The same one twice is one; two that differ are refused."""
    use_case = define(Sum("s", "usd"), created="seen", order={"event_id": "order"})
    table = orders(order=[7, 7, 7], seen=[T, T, T + timedelta(days=1)], usd=[1, 1, 2])
    found = ingest(use_case, table)
    assert found.schema.names == ["customer", "at", "seen", "order", "usd"]
    assert found["usd"].to_pylist() == [1, 2]


def test_two_versions_recorded_at_once_are_refused(ingest: Ingest, define: Define) -> None:
    """Nobody can say which one counts."""
    use_case = define(Sum("s", "usd"), created="seen", order={"event_id": "order"})
    table = orders(order=["a", "b", "a"], seen=[T, T, T], usd=[1, 1, 2])
    with pytest.raises(DataError, match=r"order, seen are equal but the rest differs in rows 1, 3\. Mend"):
        ingest(use_case, table)
