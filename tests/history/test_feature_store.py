"""The feature store as a notebook uses it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pyarrow as pa
import pytest

from mlops_core.definitions import FeatureService
from mlops_core.errors import BadInput, NotFound
from mlops_core.feature_store import FeatureStore
from tests.history.shop import START, orders, shop

if TYPE_CHECKING:
    from mlops_core.domain.usecase import UseCase
    from mlops_core.ports import Engines
    from tests.history.conftest import Bench

ROWS = orders((1, 0, 5.0), (1, 40, 3.0), (2, 3, 7.0), (2, 3, 7.0))


class _Served:
    """A deployer with no release."""

    def current(self, name: str) -> None: ...


def store(bench: Bench, use_case: UseCase | None = None) -> FeatureStore:
    bench.deployer = _Served()  # type: ignore[attr-defined]  # all that a refresh asks of a deployer
    return FeatureStore(use_case or shop(), cast("Engines", bench))


def spine(*rows: tuple[int, int]) -> pa.Table:
    moments = [START + timedelta(days=day) for _, day in rows]
    return pa.table(
        {
            "customer": [one for one, _ in rows],
            "event_timestamp": pa.array(moments, pa.timestamp("us", "UTC")),
        }
    )


def test_a_spine_gets_every_feature_as_of_each_row(bench: Bench) -> None:
    features = store(bench)
    features.materialise({"orders": ROWS})
    found = features.historical(spine((1, 0), (1, 39), (2, 3), (9, 3))).to_pydict()
    assert found["orders_30d"] == [1, 0, 2, 0]
    assert found["spend_30d"] == [5.0, 0.0, 14.0, 0.0]
    assert found["basket"] == [5.0, None, 7.0, None]


def test_a_service_decides_which_features_and_in_which_order(bench: Bench) -> None:
    service = FeatureService(name="small", features=("basket", "orders_30d"))
    features = store(bench, shop().model_copy(update={"services": (service,), "service": "small"}))
    features.materialise({"orders": ROWS})
    table = features.historical(spine((2, 3)))
    assert table.column_names == ["customer", "event_timestamp", "basket", "orders_30d"]
    assert set(cast("Any", features.online([2])[0])) == {"basket", "orders_30d"}


def test_online_values_are_history_at_the_same_instant(bench: Bench) -> None:
    features = store(bench)
    receipt = features.materialise({"orders": ROWS}, as_of=date(2024, 1, 10))
    assert receipt.as_of == datetime(2024, 1, 10, 23, 59, 59, 999_999, tzinfo=UTC)
    assert features.online([1, 2, 3]) == [
        {"orders_30d": 1, "spend_30d": 5.0, "basket": 5.0},
        {"orders_30d": 2, "spend_30d": 14.0, "basket": 7.0},
        None,
    ]
    assert features.verify().equal


def test_values_that_were_changed_online_are_found(bench: Bench) -> None:
    features = store(bench)
    receipt = features.materialise({"orders": ROWS})
    changed = pa.table(
        {"customer": [1], "orders_30d": [8], "spend_30d": [3.0], "basket": pa.array([None], pa.float64())}
    )
    bench.online.write(features.use_case.online_name, changed, ["customer"], receipt.as_of)
    report = features.verify()
    assert (report.equal, report.missing) == (False, 1)
    assert report.differing == {"orders_30d": 1, "basket": 1}


def test_writing_anew_mends_what_was_changed(bench: Bench) -> None:
    features = store(bench)
    receipt = features.materialise({"orders": ROWS})
    changed = pa.table({"customer": [1], "orders_30d": [8], "spend_30d": [3.0], "basket": [1.0]})
    bench.online.write(features.use_case.online_name, changed, ["customer"], receipt.as_of)
    features.materialise({"orders": ROWS}, anew=True)
    assert features.verify().equal


def test_late_rows_reach_online_at_the_same_instant(bench: Bench) -> None:
    features = store(bench, shop(append=True))
    features.materialise({"orders": ROWS})
    features.materialise({"orders": orders((2, 39, 1.0))})
    assert features.online([2]) == [{"orders_30d": 1, "spend_30d": 1.0, "basket": 1.0}]
    assert features.verify().equal


def test_upsert_is_for_sources_that_append(bench: Bench) -> None:
    features = store(bench)
    with pytest.raises(BadInput, match="append=True"):
        features.upsert("orders", ROWS)
    appending = store(bench, shop(append=True))
    assert appending.upsert("orders", ROWS).rows == 4
    assert appending.upsert("orders", ROWS.slice(0, 2)).rows == 4


def test_an_unknown_source_is_named_with_those_there_are(bench: Bench) -> None:
    with pytest.raises(NotFound, match=r"no source 'order': its sources are \['orders'\]"):
        store(bench).materialise({"order": ROWS})


def test_validation_stores_nothing(bench: Bench) -> None:
    features = store(bench)
    assert features.validate({"orders": ROWS})["orders"].rows == 4
    assert features.history() == {"orders": []}


def test_what_was_known_then_is_read_from_the_version_of_then(bench: Bench) -> None:
    features = store(bench)
    features.materialise({"orders": ROWS.slice(0, 1)})
    known = features.history()["orders"][-1].stored_at
    features.materialise({"orders": ROWS})
    now = features.historical(spine((2, 3)))["orders_30d"].to_pylist()
    then = features.historical(spine((2, 3)), as_known_at=known)["orders_30d"].to_pylist()
    assert (now, then) == ([2], [0])


def test_expiry_changes_no_answer_from_then_on(bench: Bench) -> None:
    features = store(bench)
    features.materialise({"orders": ROWS})
    asked = spine((1, 39), (1, 40), (2, 39), (2, 60))
    before = features.historical(asked)
    held = features.expire(START + timedelta(days=39), compact=True)["orders"]
    assert held.rows < ROWS.num_rows
    assert features.historical(asked).equals(before)
