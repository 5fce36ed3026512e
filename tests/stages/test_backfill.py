"""A backfill: models as of past days, of which nothing but stored results is left behind."""

from __future__ import annotations

import pickle
from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest

from mlops_core.adapters.feature_store.memory import MemoryOfflineStore
from mlops_core.dag import RunFailed, part_of
from mlops_core.errors import BadInput, DataError
from mlops_core.pipeline import build_backfill
from mlops_core.planning import Planner
from mlops_core.settings import Settings
from mlops_core.usecases.churn import CHURN
from mlops_core.wiring import ConfiguredEngines

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import pyarrow as pa

    from mlops_core.dag import Context, PipelineDAG
    from mlops_core.domain.history import Ingested
    from mlops_core.domain.usecase import UseCase
    from tests.stages.shop import Shop

DAYS = (date(2021, 1, 31), date(2021, 6, 30))
CUSTOMERS = 40  # too few for the gate, which is no part of it


@pytest.fixture
def backfill_of(
    shop: Shop, shop_use_case: UseCase, make_purchases: Callable[..., pa.Table]
) -> Callable[..., PipelineDAG]:
    """The backfill of some days on the purchases that `shop.run` uses."""

    def build(days: Sequence[date] = DAYS) -> PipelineDAG:
        file = shop.folder / "purchases.parquet"
        pq.write_table(make_purchases(CUSTOMERS), file)
        return build_backfill(shop_use_case, shop.engines, data={"purchases": file}, as_of=days)

    return build


def made(shop: Shop) -> dict[Path, int]:
    """Every stored result, and when it was made."""
    return {
        file: file.stat().st_mtime_ns for file in shop.engines.workspace.home.glob("stages/*/*/receipt.json")
    }


def test_a_day_is_what_a_delivery_as_of_it_would_make(
    shop: Shop, backfill_of: Callable[..., PipelineDAG], make_purchases: Callable[..., pa.Table]
) -> None:
    """The delivery then finds it made; what it adds is what a backfill leaves out."""
    context = backfill_of().execute(max_workers=4)
    before = made(shop)
    for day in DAYS:
        delivered = shop.run(make_purchases(CUSTOMERS), day)
        past = part_of(day.isoformat(), context)
        assert past == {name: delivered[name] for name in past}
    assert set(past) == {
        "feature_store",
        "training_set",
        "model_training.logistic",
        "model_training.boosting",
        "model_evaluation",
    }
    assert {file.parts[-3] for file in made(shop).keys() - before.keys()} == {"feature_verification", "gate"}
    assert before.items() <= made(shop).items()


def test_nothing_is_registered_decided_served_or_noted_and_a_second_time_makes_nothing(
    shop: Shop, backfill_of: Callable[..., PipelineDAG]
) -> None:
    first = backfill_of().execute()
    before = made(shop)
    assert before
    assert backfill_of().execute() == first
    assert made(shop) == before
    assert shop.engines.ledger.names() == []
    assert shop.engines.registry.versions("shop") == []
    assert shop.engines.deployer.current("shop") is None
    assert shop.engines.online.names() == []
    assert shop.engines.workspace.journal.all() == []


def test_what_was_delivered_before_stays_as_it_is(
    shop: Shop,
    shop_use_case: UseCase,
    backfill_of: Callable[..., PipelineDAG],
    make_purchases: Callable[..., pa.Table],
) -> None:
    """Ledger, registry, online values, and what is planned next."""
    data = {"purchases": shop.folder / "purchases.parquet"}

    def standing() -> tuple[Any, ...]:
        engines = shop.engines
        return (
            engines.ledger.entries("shop"),
            engines.registry.versions("shop"),
            engines.online.state(shop_use_case.online_name),
            engines.workspace.journal.all(),
            Planner(shop_use_case, engines, data=data).plan(),
        )

    shop.run(make_purchases(CUSTOMERS))
    before = standing()
    assert all(before)
    backfill_of().execute(max_workers=4)
    assert standing() == before


class Counting(MemoryOfflineStore):
    """Counts how often events are read in."""

    count = 0

    def ingest(self, *given: Any, **named: Any) -> Ingested:
        self.count += 1
        return super().ingest(*given, **named)


def test_events_are_brought_in_once(shop: Shop, backfill_of: Callable[..., PipelineDAG]) -> None:
    shop.engines.offline = store = Counting()
    backfill_of().execute(max_workers=2)
    assert store.count == 1


def test_a_day_with_too_little_history_fails_alone(backfill_of: Callable[..., PipelineDAG]) -> None:
    context: Context = {}
    report = backfill_of([date(2020, 3, 31), *DAYS]).run(context)
    assert list(report.errors) == ["2020-03-31.training_set"]
    assert isinstance(report.errors["2020-03-31.training_set"], DataError)
    assert all("model_evaluation" in part_of(day.isoformat(), context) for day in DAYS)


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (
            [date(2019, 12, 31), *DAYS],
            "--first: as of 2019-12-31 there are no events yet: begin on 2020-01-02 or later",
        ),
        (
            [*DAYS, date(2021, 7, 31)],
            "--last: the last event is of 2021-06-30, so 2021-07-31 and days after it",
        ),
    ],
    ids=["before the first event", "twice after the last"],
)
def test_days_of_which_nothing_can_be_said_stop_it_before_any_is_begun(
    shop: Shop, backfill_of: Callable[..., PipelineDAG], days: list[date], said: str
) -> None:
    with pytest.raises(RunFailed) as failed:
        backfill_of(days).execute()
    assert isinstance(failed.value.__cause__, BadInput)
    assert str(failed.value.__cause__).startswith(said)
    assert made(shop) == {}


def test_the_first_day_after_the_last_event_is_taken_back_to_it(
    backfill_of: Callable[..., PipelineDAG],
) -> None:
    """As in every run: nothing says that the days since were quiet."""
    context = backfill_of([date(2021, 7, 31)]).execute()
    assert context["2021-07-31.feature_store"].as_of.date() == date(2021, 6, 30)


def test_days_are_taken_once_and_in_order(backfill_of: Callable[..., PipelineDAG]) -> None:
    dag = backfill_of([DAYS[1], DAYS[0], DAYS[1]])
    assert dag.topological_order() == backfill_of(DAYS[:2]).topological_order()


def test_it_can_be_sent_to_another_process(tmp_path: Path) -> None:
    engines = ConfiguredEngines(Settings(home=tmp_path))
    dag = build_backfill(CHURN, engines, data={"purchases": tmp_path / "none"}, as_of=DAYS)
    sent: PipelineDAG = pickle.loads(pickle.dumps(dag))  # noqa: S301 - our own, made here
    assert sent.topological_order() == dag.topological_order()
