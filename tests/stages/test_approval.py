"""A person in the pipeline: asked at its end, waited for by nobody, heard by the next run."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from mlops_core.domain.gates import Approval
from mlops_core.promotion import answer, registered, roll_back
from tests.stages.test_pipeline import before

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

    from mlops_core.domain.usecase import UseCase
    from tests.stages.shop import Shop


@pytest.fixture
def asking(shop_use_case: UseCase) -> UseCase:
    """The shop, whose policy asks for a person."""
    return with_gate(shop_use_case, approval=Approval())


def with_gate(use_case: UseCase, **changes: object) -> UseCase:
    """Definitions with another policy."""
    return use_case.model_copy(update={"gate": use_case.gate.model_copy(update=changes)})


def answered(shop: Shop, use_case: UseCase, number: int = 1, *, consent: bool = True) -> None:
    """A person reads the report and answers."""
    version = registered(shop.engines, "shop", number)
    words = {"actor": "bo", "reason": "read the report"}
    answer(shop.engines, version, use_case.gate, consent=consent, **words)


def test_a_version_that_waits_for_a_person_stays_in_staging(shop: Shop, asking: UseCase) -> None:
    """The run comes to its end, and says how to answer."""
    context = shop.run(use_case=asking)
    assert (context["approval"].status, context["deployment"].status) == ("waiting", "waiting")
    assert "mlops approve shop 1 --reason" in context["deployment"].why
    assert shop.stages() == {1: "Staging"}
    assert shop.engines.deployer.current("shop") is None


def test_a_version_that_waits_is_asked_about_once(shop: Shop, asking: UseCase) -> None:
    """Night after night the same question."""
    first, second = (shop.run(use_case=asking) for _ in range(2))
    assert second["approval"] == first["approval"]
    assert [entry.event.kind for entry in shop.standing.entries].count("approval requested") == 1


def test_what_was_approved_is_deployed_by_the_next_run(shop: Shop, asking: UseCase) -> None:
    shop.run(use_case=asking)
    answered(shop, asking)
    context = shop.run(use_case=asking)
    assert "approved by bo" in context["approval"].why
    assert context["deployment"].status == "deployed"
    assert shop.stages() == {1: "Production"}


def test_what_serves_already_is_not_asked_about(shop: Shop, asking: UseCase) -> None:
    shop.run(use_case=asking)
    answered(shop, asking)
    shop.run(use_case=asking)
    before = shop.standing.head
    context = shop.run(use_case=asking)
    assert (context["approval"].status, context["deployment"].status) == ("not wanted", "deployed")
    assert shop.standing.head == before


def test_what_was_refused_stays_out_and_is_not_asked_about_again(shop: Shop, asking: UseCase) -> None:
    shop.run(use_case=asking)
    answered(shop, asking, consent=False)
    context = shop.run(use_case=asking)
    assert (context["approval"].status, context["deployment"].status) == ("refused", "refused")
    assert "refused by bo" in context["deployment"].why
    assert shop.stages() == {1: "Staging"}
    assert [entry.event.kind for entry in shop.standing.entries].count("approval requested") == 1


def test_nobody_is_asked_about_what_the_gate_rejected(shop: Shop, asking: UseCase) -> None:
    context = shop.run(use_case=with_gate(asking, floor=0.999))
    assert (context["approval"].status, context["deployment"].status) == ("not wanted", "rejected")
    assert shop.standing.requests == {}


def test_nobody_is_asked_where_the_policy_wants_no_person(shop: Shop) -> None:
    assert shop.run()["approval"].status == "not wanted"


def test_another_policy_voids_the_approval(shop: Shop, asking: UseCase) -> None:
    """What was consented to was shown under other limits: it is asked anew."""
    shop.run(use_case=asking)
    answered(shop, asking)
    context = shop.run(use_case=with_gate(asking, floor=0.56))
    assert (context["approval"].status, context["deployment"].status) == ("waiting", "waiting")
    assert shop.stages() == {1: "Staging"}


def test_an_approval_that_expired_is_asked_for_anew(shop: Shop, shop_use_case: UseCase) -> None:
    hasty = with_gate(shop_use_case, approval=Approval(expires=timedelta(microseconds=1)))
    for _ in range(2):
        assert shop.run(use_case=hasty)["deployment"].status == "waiting"
    assert [entry.event.kind for entry in shop.standing.entries].count("approval requested") == 2


def test_what_was_rolled_back_from_is_held_back_until_it_is_named(
    shop: Shop, make_purchases: Callable[..., pa.Table]
) -> None:
    """The same data gives the same model, which passes the same gate, every night."""
    table = make_purchases()
    shop.run(before(table, date(2021, 3, 31)))
    shop.run(table)
    roll_back(shop.engines, "shop", actor="eva", reason="complaints")
    context = shop.run(table)
    assert context["gate"].decision.verdict == "passed"
    assert context["deployment"].status == "held back"
    assert "rolled back from by eva" in context["deployment"].why
    assert "mlops promote shop 2 --reason" in context["deployment"].why
    assert shop.stages() == {1: "Production", 2: "Archived"}
    release = shop.engines.deployer.current("shop")
    assert release is not None
    assert release.version == 1
