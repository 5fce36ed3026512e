"""Online equals offline, or nothing is deployed; and what serves is kept fresh."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from mlops_core.dag import RunFailed
from mlops_core.definitions import Count, days
from mlops_core.errors import IntegrityError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    import pyarrow as pa

    from mlops_core.domain.online import FeatureValue, Key
    from mlops_core.domain.usecase import UseCase
    from mlops_core.ports import OnlineStore
    from tests.stages.shop import Shop


class Corrupting:
    """An online store that returns another value than it was given, for one feature."""

    def __init__(self, store: OnlineStore) -> None:
        self._store = store
        self.write, self.state, self.names, self.drop = store.write, store.state, store.names, store.drop

    def read(self, name: str, keys: Sequence[Key]) -> list[Mapping[str, FeatureValue] | None]:
        found = self._store.read(name, keys)
        return [one and {**one, "orders": int(one["orders"] or 0) + 1} for one in found]


def test_values_that_differ_online_block_deployment(shop: Shop) -> None:
    shop.engines.online = Corrupting(shop.engines.online)
    with pytest.raises(RunFailed) as failed:
        shop.run()
    assert isinstance(failed.value.__cause__, IntegrityError)
    assert "orders in 120" in str(failed.value.__cause__)
    assert shop.engines.deployer.current("shop") is None
    assert "deployment" in failed.value.report.skipped


def test_the_receipt_says_how_many_were_compared(shop: Shop) -> None:
    report = shop.run()["feature_verification"]
    assert (report.equal, report.compared, report.skipped) == (True, 120, None)


def test_a_run_that_knows_less_than_is_served_compares_nothing(shop: Shop) -> None:
    shop.run()
    report = shop.run(as_of=date(2021, 3, 31))["feature_verification"]
    assert report.compared == 0
    assert "2021-06-30" in report.skipped


def test_the_release_keeps_fresh_values_while_new_definitions_are_rejected(
    shop: Shop, shop_use_case: UseCase, make_purchases: Callable[..., pa.Table]
) -> None:
    served = shop_use_case
    shop.run(make_purchases(until=date(2021, 5, 31)))
    view = served.views[0]
    changed = view.model_copy(update={"features": (*view.features, Count("orders_9d", window=days(9)))})
    gate = served.gate.model_copy(update={"floor": 0.9999})
    context = shop.run(use_case=served.model_copy(update={"views": (changed,), "gate": gate}))
    assert context["deployment"].status == "rejected"
    assert as_of(shop, served) == context["feature_store"].as_of


def as_of(shop: Shop, use_case: UseCase) -> datetime | None:
    """The instant that a use case's online values stand at."""
    state = shop.engines.online.state(use_case.online_name)
    return state.as_of if state else None
