"""Promotion, settling and rollback as flows, each on the ledger of a small shop."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from prefect.client.orchestration import get_client
from prefect.exceptions import Pause
from prefect.flow_engine import run_flow_sync
from prefect.states import Cancelled, Crashed

from flows.approval import AWAITING, REJECTED, Answer
from flows.delivery import HELD_BACK
from flows.promote import promote
from flows.rollback import rollback
from flows.settle import settle
from mlops_core.domain.ledger import ApprovalRequested, Approved, Promoted
from mlops_core.errors import BadInput, NotFound
from mlops_core.promotion import answer, registered, standing_of
from mlops_core.settings import Settings
from mlops_core.wiring import ConfiguredEngines
from tests.flows import shop as definitions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from uuid import UUID

    from prefect.client.schemas.objects import FlowRun

    from mlops_core.domain.standing import Standing
    from mlops_core.domain.usecase import UseCase
    from tests.flows.conftest import Ran

pytestmark = pytest.mark.live

CUSTOMERS, MORE = 650, 800


@dataclass
class Shop:
    """A state folder, runs on it and its ledger."""

    home: Path
    run_flow: Callable[..., Ran]
    purchases: Callable[[int], Path]

    @property
    def engines(self) -> ConfiguredEngines:
        """The engines of the state folder."""
        return ConfiguredEngines(Settings(home=self.home, actor="ann"))

    def run(self, flow: Any, **parameters: Any) -> Ran:
        """Run a flow on this state folder, without a deployment."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("MLOPS_HOME", str(self.home))
            return self.run_flow(flow, **parameters)

    def deliver(self, use_case: UseCase, customers: int = CUSTOMERS) -> Ran:
        """Deliver a use case as its own flow would."""
        flow = definitions.flow_of(use_case)
        return self.run(flow, data=self.purchases(customers), actor="ann")

    def standing(self, use_case: UseCase) -> Standing:
        """What the ledger says."""
        return standing_of(self.engines, use_case.name)

    def answer(self, use_case: UseCase, *, consent: bool) -> None:
        """A person's answer from elsewhere."""
        version = registered(self.engines, use_case.name, 1)
        answer(self.engines, version, use_case.gate, consent=consent, actor="bob", reason="by mail")


def known_as(use_case: UseCase) -> str:
    """How flows find it."""
    return f"tests.flows.shop:{use_case.name.upper()}"


@pytest.fixture(scope="module")
def shop(
    tmp_path_factory: pytest.TempPathFactory, run_flow: Callable[..., Ran], purchases: Callable[[int], Path]
) -> Shop:
    """A state folder for the tests of this file: a use case each, so that none is in another's way."""
    return Shop(tmp_path_factory.mktemp("state"), run_flow, purchases)


def test_without_a_deployment_the_command_line_is_named(shop: Shop) -> None:
    """Delivery and promotion both end and leave the rest to a person; an answer is then acted upon."""
    use_case = definitions.ELSEWHERE
    delivered = shop.deliver(use_case)
    assert delivered.state.is_completed()
    assert delivered.state.name == AWAITING
    assert "mlops approve tests.flows.shop:ELSEWHERE 1 --reason" in str(delivered.state.message)
    waiting = shop.run(promote, use_case=known_as(use_case), version=1)
    assert (waiting.state.type, waiting.state.name) == (delivered.state.type, AWAITING)
    assert shop.standing(use_case).production is None
    shop.answer(use_case, consent=True)
    done = shop.run(promote, use_case=known_as(use_case), version=1)
    assert done.state.is_completed()
    assert "promoted to Production, approved by bob" in str(done.state.message)
    assert shop.standing(use_case).production == 1
    again = shop.run(promote, use_case=known_as(use_case), version=1)
    assert again.state.message == done.state.message
    (entry,) = [one for one in shop.standing(use_case).entries if isinstance(one.event, Promoted)]
    assert (entry.actor, entry.reason) == ("bob", "by mail")


def test_a_refusal_is_a_decision_not_an_error(shop: Shop) -> None:
    """Of the run that promotes, and of a delivery that comes later."""
    use_case = definitions.CHANGED
    shop.deliver(use_case)
    shop.answer(use_case, consent=False)
    for ran in (shop.run(promote, use_case=known_as(use_case), version=1), shop.deliver(use_case)):
        assert ran.state.is_completed()
        assert ran.state.name == REJECTED
        assert "refused by bob" in str(ran.state.message)
    assert shop.standing(use_case).production is None


def test_what_was_rolled_back_from_comes_back_when_it_is_named(shop: Shop) -> None:
    """Delivered again it is held back; a promotion with a reason names it."""
    use_case = definitions.FREE
    assert shop.deliver(use_case).result.status == "delivered"
    assert shop.deliver(use_case, MORE).result.version == 2
    back = shop.run(rollback, use_case=known_as(use_case), reason="complaints", actor="carl")
    assert back.state.is_completed(), back.state.message
    assert "version 1 is served again, as it was, in place of version 2" in str(back.state.message)
    assert shop.standing(use_case).production == 1
    held = shop.deliver(use_case, MORE)
    assert held.state.is_completed()
    assert held.state.name == HELD_BACK
    assert "rolled back from by carl" in str(held.state.message)
    silent = shop.run(promote, use_case=known_as(use_case), version=2)
    assert silent.state.is_failed()
    assert "--reason" in str(silent.state.message)
    named = shop.run(promote, use_case=known_as(use_case), version=2, reason="mended", actor="carl")
    assert named.state.is_completed(), named.state.message
    assert "named by carl: mended" in str(named.state.message)
    assert shop.standing(use_case).production == 2


def test_settling_repairs_what_strayed(shop: Shop) -> None:
    """The target that somebody moved follows the ledger again, and the run says so."""
    use_case = definitions.FREE
    shop.deliver(use_case)
    (shop.home / "releases" / use_case.name / "current.json").unlink()
    ran = shop.run(promote, use_case=known_as(use_case))
    assert ran.state.is_completed(), ran.state.message
    assert "nothing is served" in str(ran.state.message)
    again = shop.run(promote, use_case=known_as(use_case))
    assert again.state.message == f"{use_case.name}: nothing to settle"


def test_a_rollback_does_without_the_registry(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """It counts, and says what is left to mend."""
    use_case = definitions.FREE
    shop.deliver(use_case)
    shop.deliver(use_case, MORE)
    production = shop.standing(use_case).production
    other = 1 if production == 2 else 2
    monkeypatch.setenv("MLOPS_TRACKING_URI", "http://127.0.0.1:9")
    ran = shop.run(rollback, use_case=known_as(use_case), to=other, reason="disk full")
    assert ran.state.is_completed(), ran.state.message
    assert "mlops registry verify" in str(ran.state.message)
    assert shop.standing(use_case).production == other


@pytest.mark.parametrize(
    ("flow", "given", "kind", "sentence"),
    [
        (promote, {"use_case": "chrun", "version": 1}, NotFound, "did you mean 'churn'"),
        (promote, {"version": 77}, NotFound, "churn has no version 77"),
        (rollback, {"reason": "why"}, NotFound, "nothing to roll back from"),
        (rollback, {"reason": " "}, BadInput, "--reason"),
    ],
    ids=["use case", "version", "nothing there", "blank reason"],
)
def test_what_cannot_be_done_ends_with_our_sentence(
    shop: Shop, flow: Any, given: dict[str, Any], kind: type[Exception], sentence: str
) -> None:
    """Failed; the message is the sentence alone."""
    ran = shop.run(flow, **given)
    assert ran.state.is_failed()
    assert sentence in str(ran.state.message)
    assert "\n" not in str(ran.state.message)
    assert isinstance(ran.result, kind)


class Desk:
    """Runs of the deployment `promote/approval`, walked as a worker would, and their forms."""

    def __init__(self, shop: Shop, deployment: UUID) -> None:
        self.shop, self.deployment = shop, deployment

    def runs(self) -> list[FlowRun]:
        """All of them, the oldest first."""
        with get_client(sync_client=True) as client:
            found = [run for run in client.read_flow_runs() if run.deployment_id == self.deployment]
        return sorted(found, key=lambda run: str(run.created))

    def walk(self, run: FlowRun) -> FlowRun:
        """Run it until it parks or ends."""
        with get_client(sync_client=True) as client, pytest.MonkeyPatch.context() as patch:
            patch.setenv("MLOPS_HOME", str(self.shop.home))
            parameters = promote.validate_parameters(run.parameters)
            with suppress(Pause):
                run_flow_sync(promote, client.read_flow_run(run.id), parameters, return_type="state")
            return client.read_flow_run(run.id)

    def settle(self, use_case: UseCase) -> list[str]:
        """Settle as a delivery does at its end."""
        return settle(self.shop.engines, use_case, known_as(use_case))


@pytest.fixture
def desk(shop: Shop) -> Iterator[Desk]:
    """A deployment that nobody works for, so that a test can."""
    made: Any = promote.to_deployment("approval")  # Any: typed for coroutines too
    made.entrypoint = "flows.promote.promote"
    deployment: UUID = made.apply()
    yield Desk(shop, deployment)
    with get_client(sync_client=True) as client:
        client.delete_deployment(deployment)


def test_a_question_has_one_run_that_parks(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often it is delivered and settled; a form that was lost between is made again."""
    use_case = definitions.REFUSED
    for _ in range(2):
        delivered = desk.shop.deliver(use_case)
        assert delivered.state.name == AWAITING
        desk.settle(use_case)
    (run,) = desk.runs()
    assert run.name == "tests.flows.shop:REFUSED version 1"
    assert str(run.id) in str(delivered.state.message)
    parked = desk.walk(run)
    assert parked.state is not None
    assert parked.state.is_paused()
    with get_client(sync_client=True) as client:
        client.delete_flow_run_input(run.id, key="suspended-answer-1-schema")
        client.delete_flow_run_input(run.id, key="suspended-answer-1-description")
        given = Answer(decision="approve", approver="bob", reason="good").model_dump()
        assert "schema not found" in str(client.resume_flow_run(run.id, run_input=given).details)
        assert desk.settle(use_case) == []  # it may be about to get it
        monkeypatch.setattr("flows.settle.MENDED_AFTER", timedelta(0))
        assert desk.settle(use_case) == [f"{run.name}: has its form again"]
        assert desk.settle(use_case) == []
        client.resume_flow_run(run.id, run_input=given)
    done = desk.walk(run)
    assert done.state is not None
    assert done.state.is_completed(), done.state.message
    assert desk.shop.standing(use_case).production == 1


def test_who_may_not_answer_is_told_why_until_another_does(desk: Desk) -> None:
    """Every answer that is not taken parks the run again; none leaves a record."""
    use_case = definitions.SHOP
    desk.shop.deliver(use_case)
    (run,) = desk.runs()
    desk.walk(run)
    with get_client(sync_client=True) as client:
        for number, name in enumerate(("ann", " "), start=2):
            given = Answer(decision="approve", approver=name, reason="good").model_dump()
            client.resume_flow_run(run.id, run_input=given)
            parked = desk.walk(run)
            assert parked.state is not None
            assert parked.state.is_paused()
            text = client.read_flow_run_input(run.id, key=f"suspended-answer-{number}-description")
            assert "An answer was not taken" in text
        client.set_flow_run_state(run.id, Crashed())
    assert desk.settle(use_case) == []
    kinds = [type(entry.event) for entry in desk.shop.standing(use_case).entries]
    assert kinds.count(ApprovalRequested) == 1
    assert Approved not in kinds
    assert len(desk.runs()) == 2  # one that crashed while its question waits is followed by another


def test_a_cancelled_run_is_not_made_again(desk: Desk) -> None:
    """Who cancels it wants no form; the question still waits for the command line."""
    use_case = definitions.QUIET
    desk.shop.deliver(use_case)
    (run,) = desk.runs()
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(run.id, Cancelled(), force=True)
    desk.settle(use_case)
    assert [one.id for one in desk.runs()] == [run.id]
    desk.shop.answer(use_case, consent=True)
    done = desk.shop.run(promote, use_case=known_as(use_case), version=1)
    assert done.state.is_completed(), done.state.message
    assert desk.shop.standing(use_case).production == 1


def test_a_run_keeps_to_the_question_that_it_began_with(desk: Desk) -> None:
    """Another question about the same version ends it; it does not take the old answer for the new one."""
    use_case = definitions.QUIET
    desk.shop.deliver(use_case)
    with get_client(sync_client=True) as client:
        run = client.create_flow_run_from_deployment(
            desk.deployment,
            parameters={"use_case": known_as(use_case), "version": 1, "request": "0" * 64},
        )
    done = desk.walk(run)
    assert done.state is not None
    assert done.state.name == "Void"
    assert "look at it again" in str(done.state.message)
