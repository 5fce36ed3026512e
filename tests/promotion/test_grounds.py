"""What a release stands on: the decision it was promoted by, its approval, and what was passed over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_core.domain.gates import Approval
from mlops_core.domain.ledger import Adopted, Draft
from mlops_core.evidence import consent_of
from mlops_core.promotion import decide
from mlops_core.promotion.grounds import Grounds
from tests.promotion.desk import NAME

if TYPE_CHECKING:
    from mlops_core.domain.registry import ModelVersion
    from tests.promotion.desk import Desk


def adopt(desk: Desk, version: ModelVersion) -> None:
    """Enter a version as found in Production, its history not being known."""
    event = Adopted(stage="Production")
    draft = Draft(version=version.number, model=version.digest, event=event, actor="ana", reason="was there")
    desk.engines.ledger.append(NAME, [draft], after=desk.standing.head)


def test_a_version_in_staging_stands_on_its_newest_decision(desk: Desk) -> None:
    """With the failed checks that are about to be passed over, and no others."""
    version = desk.judged(1, "drift", "latency")
    assert Grounds.of(desk.standing, 1) == Grounds(desk.decision(version, "drift", "latency"))
    assert Grounds.of(desk.standing, 1, ["latency", "floor"]).waived == ("latency",)
    decide(desk.engines, version, desk.decision(version))
    assert Grounds.of(desk.standing, 1).digest == desk.decision(version).digest


def test_a_version_that_nobody_judged_stands_on_nothing(desk: Desk) -> None:
    version = desk.register(1)
    assert Grounds.of(desk.standing, 1) == Grounds()
    adopt(desk, version)
    assert Grounds.of(desk.standing, 1) == Grounds()
    assert Grounds().digest is None


def test_a_promoted_version_stands_on_what_it_was_promoted_by(desk: Desk) -> None:
    """A decision that comes later, while it is in Production, is not what it serves by."""
    version = desk.judged(1, "drift")
    desk.promote(version, waive=["drift"], named=True)
    by = desk.standing.decisions[1]
    decide(desk.engines, version, desk.decision(version, "latency"))
    assert Grounds.of(desk.standing, 1) == Grounds(by, waived=("drift",))
    assert Grounds.of(desk.standing, 1, ["latency"]).waived == ("drift",)


def test_an_archived_version_keeps_them_until_it_is_judged_anew(desk: Desk) -> None:
    """So that its release can be made again as it was; judged anew, it is about to be promoted by that."""
    first = desk.judged(1, "drift")
    desk.promote(first, waive=["drift"], named=True)
    before = Grounds.of(desk.standing, 1)
    desk.delivered(2)
    assert Grounds.of(desk.standing, 1) == before
    anew = desk.decision(first)
    decide(desk.engines, first, anew)
    assert Grounds.of(desk.standing, 1) == Grounds(anew)


def test_a_rollback_changes_no_grounds(desk: Desk) -> None:
    """The entry that brings a version back names no decision: it goes back to what it stood on."""
    desk.delivered(1, 2)
    before = Grounds.of(desk.standing, 1)
    desk.roll_back()
    assert desk.standing.production == 1
    assert Grounds.of(desk.standing, 1) == before


def test_an_approval_is_the_one_that_it_was_promoted_by(asking: Desk) -> None:
    """Not the one of a question that was put later."""
    version = asking.judged(1)
    asking.ask(version)
    assert consent_of(Grounds.of(asking.standing, 1).request) is None
    asking.answer(version)
    asking.promote(version)
    consent = consent_of(Grounds.of(asking.standing, 1).request)
    assert consent is not None
    assert (consent.approved_by, consent.reason) == ("bo", "read the report")
    assert (consent.asked_by, consent.request) == ("ana", asking.standing.requests[1].digest)
    decide(asking.engines, version, asking.decision(version, "latency"))
    (asking.engines.workspace.home / "report.html").write_text("another report")
    asking.ask(version)
    assert asking.standing.requests[1].digest != consent.request
    assert consent_of(Grounds.of(asking.standing, 1).request) == consent


def test_a_refusal_is_no_consent(asking: Desk) -> None:
    version = asking.judged(1)
    asking.ask(version)
    asking.answer(version, consent=False)
    grounds = Grounds.of(asking.standing, 1)
    assert grounds.request is not None
    assert consent_of(grounds.request) is None


def test_a_policy_that_asks_nobody_has_no_question(asking: Desk) -> None:
    """Though one was put under an earlier policy."""
    version = asking.judged(1)
    asking.ask(version)
    asking.answer(version)
    free = asking.decision(version).policy.model_copy(update={"approval": None})
    decide(asking.engines, version, asking.decision(version, policy=free))
    assert Grounds.of(asking.standing, 1).request is None
    assert asking.policy.approval == Approval()
