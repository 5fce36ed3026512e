"""Approval and rollback on a real server and worker: parked, killed, answered from everywhere."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import yaml

from mlops_core.delivery import Delivery
from mlops_core.domain.ledger import ApprovalRequested, Approved, Promoted, Refused, RolledBack
from mlops_core.parameters import parameters_of
from mlops_core.promotion import answer, registered, standing_of
from mlops_core.settings import Settings
from mlops_core.wiring import ConfiguredEngines
from tests.flows import shop
from tests.flows.purchases import write_purchases
from tests.live.site import POOL, Site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mlops_core.domain.ledger import Entry
    from mlops_core.domain.standing import Standing
    from mlops_core.domain.usecase import UseCase
    from mlops_core.summary import Outcome
    from tests.live.conftest import Environment

pytestmark = pytest.mark.live

REFUSED_INPUT, ACCEPTED = 200, 201  # what the API answers to a form
DEPLOYMENT = {
    "name": "on-demand",
    "entrypoint": "shop.delivery",
    "work_pool": {"name": POOL, "work_queue_name": "default"},
}


class Shop:
    """A site with use cases of a shop's own, and its ledger."""

    def __init__(self, site: Site, purchases: Path) -> None:
        self.site, self.purchases = site, purchases
        self.engines = ConfiguredEngines(Settings(home=site.environment.home))

    def deliver(self, use_case: UseCase, data: Path | None = None) -> Outcome:
        """Deliver in this process, as `mlops run` does: faster than a worker."""
        given = parameters_of(use_case)(data=data or self.purchases, actor="ann")
        delivery = Delivery(use_case, given, Settings(home=self.site.environment.home))
        return delivery.outcome(delivery.dag.execute())

    def ask(self, attribute: str) -> str:
        """Have a parked run about version 1 of a use case, and return its id."""
        return self.site.start("promote/approval", use_case=f"shop:{attribute}", version=1)

    def parked(self, run: str, number: int = 1) -> None:
        """Wait until a run is parked and has its form: it is paused before Prefect has kept all of that."""
        self.site.once(run, "PAUSED")

        def shown() -> bool:
            return httpx.get(self._form(run, number), timeout=120).status_code == httpx.codes.OK

        self.site.until(shown, f"form {number} of run {run} to be shown")

    def fill(self, run: str, **form: str) -> int:
        """Answer a parked run's form as the UI does."""
        return self.site.post(f"/flow_runs/{run}/resume", run_input=form).status_code

    def standing(self, name: str) -> Standing:
        """What the ledger says."""
        return standing_of(self.engines, name)

    def served(self, name: str) -> int | None:
        """The version that callers get."""
        release = self.engines.deployer.current(name)
        return release.version if release else None

    def happened(self, name: str, kind: type) -> list[Entry]:
        """The entries of one kind."""
        return [entry for entry in self.standing(name).entries if isinstance(entry.event, kind)]

    def form(self, run: str, number: int) -> str:
        """What the form says above its fields."""
        return str(httpx.get(self._form(run, number), timeout=120).raise_for_status().json())

    def _form(self, run: str, number: int) -> str:
        """The part of the form that is kept last."""
        return f"{self.site.api}/flow_runs/{run}/input/suspended-answer-{number}-description"


@pytest.fixture(scope="module")
def here(
    tmp_path_factory: pytest.TempPathFactory,
    project: Path,
    purchases: Path,
    environment: type[Environment],
    until: Callable[..., Any],
) -> Iterator[Shop]:
    """Everything deployed, the shop's own too, and a worker that waits for runs."""
    site = Site(tmp_path_factory.mktemp("approval"), project, environment, until)
    shutil.copy(project / "tests" / "flows" / "shop.py", site.checkout / "shop.py")
    file = site.checkout / "prefect.yaml"
    document = yaml.safe_load(file.read_text())
    document["deployments"].insert(0, DEPLOYMENT)
    file.write_text(yaml.safe_dump(document))
    try:
        site.serve()
        site.deploy()
        site.work()
        yield Shop(site, purchases)
    finally:
        site.kill()


@pytest.fixture(scope="module")
def parked(here: Shop) -> str:
    """A run of `promote` that a delivery on the worker left parked, after everything was killed and started.

    Returns its id. Another is parked beside it, for the question that expires.
    """
    here.deliver(shop.BRIEF)
    brief = here.ask("BRIEF")
    delivery = here.site.start("shop/on-demand", data=str(here.purchases), actor="ann")
    state = here.site.once(delivery)
    assert (state["type"], state["name"]) == ("COMPLETED", "AwaitingApproval"), state
    (run,) = [one for one in here.site.runs("promote/approval") if one["id"] != brief]
    for one in (brief, run["id"]):
        here.parked(one)
    here.site.kill()
    here.site.serve()
    here.site.work()
    return str(run["id"])


def test_a_question_outlives_server_and_worker(here: Shop, parked: str) -> None:
    """Killed and started again, the run is parked as it was, and nothing is in Production."""
    assert here.site.state(parked)["name"] == "Suspended"
    assert here.standing("shop").production is None
    assert len(here.happened("shop", ApprovalRequested)) == 1


def test_the_form_shows_what_is_asked(here: Shop, parked: str) -> None:
    """Verdict, every check's sentence, the digests, the report and who may not answer."""
    text = here.form(parked, 1)
    standing = here.standing("shop")
    request, decision = standing.requests[1], standing.decisions[1]
    assert "May shop version 1 go to Production?" in text
    assert "anyone, but not ann" in text
    assert request.what.report_path in text
    for digest in (request.digest, decision.digest, standing.models[1]):
        assert f"`{digest[:12]}`" in text
    for check in decision.checks:
        assert (check.name if check.outcome == "not applicable" else check.sentence) in text


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"decision": "approve", "approver": "bob"},
        {"decision": "approve", "approver": "", "reason": "good"},
        {"decision": "perhaps", "approver": "bob", "reason": "good"},
        {"decision": "approve", "approver": "bob", "reason": "good", "more": "1"},
    ],
    ids=["empty", "no reason", "nameless", "neither", "too much"],
)
def test_a_form_that_says_too_little_is_refused(here: Shop, parked: str, form: dict[str, str]) -> None:
    """The run stays parked."""
    assert here.fill(parked, **form) == REFUSED_INPUT
    assert here.site.state(parked)["name"] == "Suspended"


def test_who_started_it_may_not_approve_and_another_may(here: Shop, parked: str) -> None:
    """The first answer is not taken and the run parks again, saying why; the second promotes."""
    assert here.fill(parked, decision="approve", approver="Ann", reason="mine") == ACCEPTED
    here.parked(parked, 2)
    assert here.form(parked, 2).startswith("**An answer was not taken:** Ann started the run of shop")
    assert not here.happened("shop", Approved)
    assert here.fill(parked, decision="approve", approver="bob", reason="looks right") == ACCEPTED
    state = here.site.once(parked)
    assert state["type"] == "COMPLETED"
    assert state["message"].startswith("shop version 1: promoted to Production, approved by bob")
    (approved,), (promoted,) = here.happened("shop", Approved), here.happened("shop", Promoted)
    for entry in (approved, promoted):
        assert (entry.actor, entry.reason) == ("bob", "looks right")
    assert here.standing("shop").production == 1
    assert here.served("shop") == 1


def test_a_person_can_say_no(here: Shop) -> None:
    """Only those that the policy names; the run ends as Rejected, and nothing is in Production."""
    here.deliver(shop.REFUSED)
    run = here.ask("REFUSED")
    here.parked(run)
    assert here.fill(run, decision="reject", approver="bob", reason="too early") == ACCEPTED
    state = here.site.once(run)
    assert (state["type"], state["name"]) == ("COMPLETED", "Rejected")
    assert "refused by bob" in state["message"]
    assert "too early" in state["message"]
    (refused,) = here.happened("refused", Refused)
    assert (refused.actor, refused.reason) == ("bob", "too early")
    assert here.standing("refused").production is None


def test_an_answer_given_elsewhere_ends_the_parked_run(here: Shop) -> None:
    """Settling finds it in the ledger, promotes, and the run needs no form any more."""
    here.deliver(shop.ELSEWHERE)
    run = here.ask("ELSEWHERE")
    here.parked(run)
    version = registered(here.engines, "elsewhere", 1)
    policy = shop.ELSEWHERE.gate
    answer(here.engines, version, policy, consent=True, actor="bob", reason="by mail")
    settling = here.site.start("promote/settle", use_case="shop:ELSEWHERE")
    assert here.site.once(settling)["type"] == "COMPLETED"
    state = here.site.state(run)
    assert state["type"] == "COMPLETED"
    assert "approved by bob" in state["message"]
    assert here.standing("elsewhere").production == 1


def test_a_consent_to_what_has_changed_is_void(here: Shop) -> None:
    """Another policy than the one asked under: the answer leaves no record and promotes nothing."""
    here.deliver(shop.CHANGED)
    run = here.ask("CHANGED")
    here.parked(run)
    module = here.site.checkout / "shop.py"
    before = module.read_text()
    module.write_text(before.replace("FLOOR = 0.75", "FLOOR = 0.76"))
    try:
        assert here.fill(run, decision="approve", approver="bob", reason="as shown") == ACCEPTED
        state = here.site.once(run)
    finally:
        module.write_text(before)
    assert (state["type"], state["name"]) == ("FAILED", "Void")
    assert "policy changed" in state["message"]
    assert not here.happened("changed", Approved)
    assert here.standing("changed").production is None


def test_a_rollback_serves_what_served_before(here: Shop, tmp_path: Path) -> None:
    """On a worker, with the reason in the ledger; without one nothing happens."""
    here.deliver(shop.FREE)
    assert here.deliver(shop.FREE, write_purchases(tmp_path / "more.parquet", 800)).version == 2
    assert here.served("free") == 2
    refused = here.site.once(here.site.start("rollback/on-demand", use_case="shop:FREE"))
    assert (refused["type"], refused["message"]) == ("FAILED", "--reason: has to be given")
    assert here.served("free") == 2
    run = here.site.start("rollback/on-demand", use_case="shop:FREE", reason="complaints", actor="carl")
    state = here.site.once(run)
    assert state["type"] == "COMPLETED", state["message"]
    assert "version 1 is served again" in state["message"]
    (back,) = here.happened("free", RolledBack)
    assert (back.actor, back.reason) == ("carl", "complaints")
    assert here.served("free") == 1


def test_a_question_expires(here: Shop, parked: str) -> None:
    """Settling ends the parked run without anybody's answer, and says how to be asked again."""
    (run,) = [one["id"] for one in here.site.runs("promote/approval") if "BRIEF" in str(one["parameters"])]
    assert run != parked
    request = here.standing("brief").requests[1]
    here.site.until(lambda: request.status(datetime.now(UTC)) == "expired", "the question to expire")
    assert here.site.state(run)["name"] == "Suspended"
    assert here.site.once(here.site.start("promote/settle", use_case="shop:BRIEF"))["type"] == "COMPLETED"
    state = here.site.state(run)
    assert (state["type"], state["name"]) == ("COMPLETED", "Void")
    assert "nobody answered until" in state["message"]
    assert here.standing("brief").production is None
