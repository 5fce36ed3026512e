"""Whether a version may go on: asked before it is delivered, and entered nowhere."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from mlops_core.domain.gates import Approval
from mlops_core.errors import NotFound, Superseded
from mlops_core.promotion import Onward, decide, onward
from tests.promotion.desk import ASKING, POLICY, Desk

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_core.domain.registry import ModelVersion


def looked_at(desk: Desk, version: ModelVersion, **options: Any) -> Onward:
    """What is found; the ledger and the registry are as before."""
    before = desk.standing.entries, desk.engines.registry.versions(version.name), desk.served
    try:
        return onward(desk.engines, version, options.pop("policy", desk.policy), **options)
    finally:
        assert (desk.standing.entries, desk.engines.registry.versions(version.name), desk.served) == before


def test_what_passed_goes_on_where_no_person_is_asked(desk: Desk) -> None:
    found = looked_at(desk, desk.judged(1))
    assert (found.verdict, found.approval, found.request) == ("passed", "not wanted", None)


def test_what_waits_for_a_person_goes_on_to_the_person(asking: Desk) -> None:
    version = asking.judged(1)
    request = asking.ask(version)
    found = looked_at(asking, version)
    assert (found.verdict, found.approval, found.request) == ("passed", "waiting", request)
    assert found.why == "the gate passed it, and a person is asked"


def test_what_was_approved_goes_on(asking: Desk) -> None:
    version = asking.judged(1)
    asking.ask(version)
    asking.answer(version)
    found = looked_at(asking, version)
    assert (found.verdict, found.approval) == ("passed", "approved")
    assert found.why == "the gate passed it, and bo approved it"
    asking.promote(version)
    found = looked_at(asking, version)
    assert (found.verdict, found.approval, found.why) == ("passed", "approved", "it is in Production")


def test_what_a_person_refused_does_not(asking: Desk) -> None:
    version = asking.judged(1)
    asking.ask(version)
    asking.answer(version, consent=False)
    found = looked_at(asking, version)
    assert (found.verdict, found.approval) == ("refused", "refused")
    assert "bo refused it at " in found.why
    assert "(read the report)" in found.why


def test_a_question_that_expired_is_to_be_asked_anew(make_desk: Callable[..., Desk]) -> None:
    approval = Approval(expires=timedelta(microseconds=1))
    desk = make_desk(policy=POLICY.model_copy(update={"approval": approval}))
    version = desk.judged(1)
    desk.ask(version)
    found = looked_at(desk, version)
    assert (found.verdict, found.approval) == ("superseded", "expired")
    assert "run `mlops run churn`, which asks anew" in found.why


def test_a_person_who_was_never_asked_is_to_be_asked(asking: Desk) -> None:
    found = looked_at(asking, asking.judged(1))
    assert (found.verdict, found.approval, found.request) == ("superseded", "waiting", None)
    assert "nobody was asked yet" in found.why


def test_another_report_than_the_one_shown_is_to_be_asked_about_anew(asking: Desk) -> None:
    version = asking.judged(1)
    asking.ask(version)
    (asking.engines.workspace.home / "report.html").write_text("<p>another</p>")
    found = looked_at(asking, version)
    assert (found.verdict, "another report is there now" in found.why) == ("superseded", True)


def test_what_the_gate_rejected_does_not_go_on(desk: Desk) -> None:
    found = looked_at(desk, desk.judged(1, "drift", "latency"))
    assert (found.verdict, found.why) == ("rejected", "the gate rejected it for drift, latency")


def test_what_was_rolled_back_from_does_not_go_on(desk: Desk) -> None:
    _, second = desk.delivered(1, 2)
    desk.roll_back()
    found = looked_at(desk, second)
    assert (found.verdict, "rolled back from by ana" in found.why) == ("withdrawn", True)


@pytest.mark.parametrize(
    ("changes", "why"),
    [({"policy": ASKING}, "the gate's policy changed"), ({"code": "0" * 64}, "the code changed")],
)
def test_what_was_decided_otherwise_is_to_be_decided_anew(
    desk: Desk, changes: dict[str, Any], why: str
) -> None:
    version = desk.register(1)
    decide(desk.engines, version, desk.decision(version, **changes))
    found = looked_at(desk, version)
    assert (found.verdict, why in found.why) == ("superseded", True)


def test_another_champion_than_the_one_compared_with_is_to_be_compared_with(desk: Desk) -> None:
    late = desk.judged(1)
    desk.delivered(2)
    found = looked_at(desk, late)
    assert (found.verdict, "version 2 is there now" in found.why) == ("superseded", True)


def test_the_beginning_of_the_digest_is_enough_and_another_is_another_registry(desk: Desk) -> None:
    version = desk.judged(1)
    assert looked_at(desk, version, digest=version.digest[:7].upper()).verdict == "passed"
    with pytest.raises(Superseded, match=r"is [0-9a-f]{12} here, not 000000: .* another registry"):
        looked_at(desk, version, digest="000000")


def test_what_was_never_decided_on_is_told(desk: Desk) -> None:
    with pytest.raises(NotFound, match="the gate has not decided on churn version 1"):
        looked_at(desk, desk.register(1))
