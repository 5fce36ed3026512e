"""Where somebody else delivers: what passed is handed over, and nothing here is promoted or served."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from mlops_core.adapters.deployer.memory import MemoryDeployer
from mlops_core.adapters.dispatcher.memory import MemoryDispatcher
from mlops_core.domain.gates import Approval
from mlops_core.errors import BadInput, Superseded, Unavailable
from mlops_core.planning import Planner
from mlops_core.promotion import bring, hand_over, put_into_production, registered, roll_back, strays
from tests.stages.test_approval import answered, with_gate
from tests.stages.test_pipeline import before

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

    from mlops_core.domain.handover import Handover, Order
    from mlops_core.domain.usecase import UseCase
    from tests.stages.shop import Shop


class Courier(MemoryDispatcher):
    """A dispatcher that may not be there."""

    away = False

    def dispatch(self, order: Order) -> Handover:
        if self.away:
            raise Unavailable("the courier does not answer")
        return super().dispatch(order)


@pytest.fixture
def courier(shop: Shop) -> Courier:
    """Delivers in place of the shop."""
    shop.engines.dispatcher = made = Courier()
    return made


def test_what_passed_is_handed_over_once_and_nothing_is_promoted(shop: Shop, courier: Courier) -> None:
    for _ in range(2):
        deployed = shop.run()["deployment"]
        assert (deployed.status, deployed.stage, deployed.release) == ("handed over", "Staging", None)
        assert deployed.why == "it is handed over to memory, queued: memory:0"
    [order] = courier.orders
    assert (order.version, order.digest) == (1, registered(shop.engines, "shop", 1).digest)
    assert (order.actor, order.reason) == ("ana", "passed the gate, the first to")
    assert shop.stages() == {1: "Staging"}
    assert shop.engines.deployer.current("shop") is None


def test_what_was_rejected_or_refused_is_not_handed_over(
    shop: Shop, courier: Courier, shop_use_case: UseCase
) -> None:
    assert shop.run(use_case=with_gate(shop_use_case, floor=0.999))["deployment"].status == "rejected"
    asking = with_gate(shop_use_case, approval=Approval())
    courier.away = True  # and nobody there to ask the person
    with pytest.raises(Exception, match="does not answer"):
        shop.run(use_case=asking)
    answered(shop, asking, consent=False)
    assert shop.run(use_case=asking)["deployment"].status == "refused"
    assert courier.orders == []


def test_a_version_that_waits_for_a_person_is_handed_over_with_its_question(
    shop: Shop, courier: Courier, shop_use_case: UseCase
) -> None:
    """Who delivers asks the person too; the first answer counts."""
    context = shop.run(use_case=with_gate(shop_use_case, approval=Approval()))
    assert (context["approval"].status, context["deployment"].status) == ("waiting", "handed over")
    assert len(courier.orders) == 1


def test_what_is_in_production_there_is_delivered(
    shop: Shop, courier: Courier, shop_use_case: UseCase
) -> None:
    """The ledger is shared: whoever delivered entered where it is served from."""
    policy = shop.run()["gate"].decision.policy
    shop.engines.dispatcher = None
    version = registered(shop.engines, "shop", 1)
    release = put_into_production(shop.engines, version, policy, actor="courier", reason="canary is well")
    shop.engines.dispatcher = courier
    deployed = shop.run()["deployment"]
    assert (deployed.status, deployed.release) == ("deployed", release.uri)
    assert len(courier.orders) == 1
    plan = Planner(shop_use_case, shop.engines, data={"purchases": shop.folder / "purchases.parquet"}).plan()
    assert [one.status for one in plan.tasks if one.task == "deployment"] == ["reuse"]
    uses = shop.engines.workspace.journal.all()
    assert [use.executed for use in uses if use.inputs.stage == "deployment"] == [False]


def test_what_was_rolled_back_from_is_not_handed_over(
    shop: Shop, courier: Courier, make_purchases: Callable[..., pa.Table]
) -> None:
    table, shop.engines.dispatcher = make_purchases(), None
    shop.run(before(table, date(2021, 3, 31)))
    shop.run(table)
    roll_back(shop.engines, "shop", actor="eva", reason="complaints")
    shop.engines.dispatcher = courier
    assert shop.run(table)["deployment"].status == "held back"
    with pytest.raises(Superseded, match=r"by eva \(complaints\): .*`mlops promote shop 2"):
        hand_over(shop.engines, registered(shop.engines, "shop", 2), actor="bo", reason="again")
    assert courier.orders == []


def test_checks_are_waived_where_it_will_serve(shop: Shop, courier: Courier, shop_use_case: UseCase) -> None:
    strict = with_gate(shop_use_case, floor=0.999)
    shop.run(use_case=strict)
    version = registered(shop.engines, "shop", 1)
    with pytest.raises(BadInput, match="waived where it will serve"):
        bring(shop.engines, version, strict.gate, actor="bo", reason="known", waive=["floor"])
    assert courier.orders == []


def test_a_plan_says_that_it_is_handed_over(shop: Shop, courier: Courier, shop_use_case: UseCase) -> None:
    shop.run()
    data = {"purchases": shop.folder / "purchases.parquet"}
    plan = Planner(shop_use_case, shop.engines, data=data).plan()
    assert [(one.status, one.why) for one in plan.tasks if one.task == "deployment"] == [
        ("run", "version 1 passed the gate and is handed over")
    ]
    assert len(courier.orders) == 1


def test_what_is_served_elsewhere_is_not_missed_here(shop: Shop, courier: Courier) -> None:
    policy = shop.run()["gate"].decision.policy
    shop.engines.dispatcher = None
    put_into_production(shop.engines, registered(shop.engines, "shop", 1), policy, actor="a", reason="b")
    shop.engines.deployer = MemoryDeployer(shop.engines.trainer)  # of another machine
    assert any("is served" in one for one in strays(shop.engines, "shop"))
    shop.engines.dispatcher = courier
    assert strays(shop.engines, "shop") == []
