"""A person's consent: asked for once, bound to what was shown, given by whom the policy lets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from mlops_core.adapters.deployer.local import LocalDeployer
from mlops_core.domain.gates import Approval
from mlops_core.domain.ledger import ApprovalRequested, Approved, Draft, Promoted, Refused
from mlops_core.errors import BadInput, NotFound, Superseded
from mlops_core.evidence import DOCUMENTS, EVIDENCE_TWIN
from mlops_core.promotion import ask, current_question, decide, prepared
from tests.promotion.desk import NAME, POLICY, REPORT

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_core.domain.registry import ModelVersion
    from tests.promotion.desk import Desk


def asked(desk: Desk, seed: int = 1) -> ModelVersion:
    """A version about which a person is asked."""
    version = desk.judged(seed)
    desk.ask(version)
    return version


@pytest.fixture
def with_terms(make_desk: Callable[..., Desk]) -> Callable[..., Desk]:
    """Makes desks whose policy asks for a person on these terms."""
    return lambda **terms: make_desk(policy=POLICY.model_copy(update={"approval": Approval(**terms)}))


@pytest.fixture
def hasty(with_terms: Callable[..., Desk]) -> Desk:
    """A desk whose questions have expired when one looks at them."""
    return with_terms(expires=timedelta(microseconds=1))


def answered_in_time(desk: Desk, version: ModelVersion, answer: type[Approved | Refused]) -> None:
    """The ledger has an answer that was given before the question expired."""
    event = answer(request=desk.standing.requests[version.number].digest)
    entry = Draft(version=version.number, model=version.digest, event=event, actor="bo", reason="so it is")
    desk.engines.ledger.append(NAME, [entry], after=desk.standing.head)


def test_without_consent_it_stays_out(asking: Desk) -> None:
    """The message says how to give it."""
    version = asked(asking)
    with pytest.raises(Superseded, match=r"the request is waiting: `mlops approve churn 1 --reason"):
        asking.promote(version)
    assert asking.stages == {1: "Staging"}


def test_without_a_question_it_stays_out(asking: Desk) -> None:
    with pytest.raises(NotFound, match="no approval of churn version 1 was asked for"):
        asking.promote(asking.judged(1))


def test_with_consent_it_goes_to_production_and_that_is_written(asking: Desk) -> None:
    version = asked(asking)
    asking.answer(version, actor="bo", reason="read the report")
    asking.promote(version)
    approved, promoted = asking.standing.entries[-3:-1]
    assert (approved.event.kind, approved.actor, approved.reason) == ("approved", "bo", "read the report")
    assert isinstance(approved.event, Approved)
    assert isinstance(promoted.event, Promoted)
    assert promoted.event.request == approved.event.request == asking.standing.requests[1].digest


def test_a_release_that_was_tried_before_the_consent_tells_of_it_when_it_serves(asking: Desk) -> None:
    """A canary makes the release, evidence and all, whenever somebody tries one."""
    asking.engines.deployer = LocalDeployer(
        home=asking.engines.workspace.home, trainer=asking.engines.trainer
    )
    version = asked(asking)
    tried = prepared(asking.engines, version)
    asking.answer(version)
    evidence = f"{DOCUMENTS}/{EVIDENCE_TWIN}"
    assert asking.promote(version).files[evidence] != tried.files[evidence]


def test_a_policy_that_wants_nobody_asks_nobody(desk: Desk) -> None:
    with pytest.raises(BadInput, match="asks for no approval"):
        desk.ask(desk.judged(1))


def test_the_same_question_is_asked_once(asking: Desk) -> None:
    """The nightly run finds what was asked, waiting or answered."""
    version = asked(asking)
    first = asking.ask(version)
    asking.answer(version)
    assert asking.ask(version).asked == first.asked
    assert [kind for kind, _ in asking.kinds].count("approval requested") == 1


def test_a_question_says_what_is_shown_until_when_and_who_asks(asking: Desk) -> None:
    version = asking.judged(1)
    before = datetime.now(UTC)
    request = asking.ask(version)
    binding = request.what.binding
    assert (binding.model, binding.training_set) == (version.digest, version.lineage.training_set)
    assert binding.decision == asking.standing.decisions[1].digest
    assert before + timedelta(days=7) <= request.what.expires_at <= datetime.now(UTC) + timedelta(days=7)
    assert (request.asked.actor, request.what.report_path) == ("ana", REPORT)


@pytest.mark.parametrize("consent", [False, True])
def test_a_question_that_expired_cannot_be_answered(hasty: Desk, consent: bool) -> None:
    version = asked(hasty)
    with pytest.raises(Superseded, match=r"expired at .* UTC: run `mlops run churn`"):
        hasty.answer(version, consent)
    assert hasty.standing.requests[1].answered is None


def test_a_consent_that_was_not_used_expires_with_its_question(hasty: Desk) -> None:
    version = asked(hasty)
    answered_in_time(hasty, version, Approved)
    with pytest.raises(Superseded, match="the request is expired"):
        hasty.promote(version)
    assert hasty.stages == {1: "Staging"}


@pytest.mark.parametrize("answered", [False, True])
def test_after_it_expired_it_is_asked_anew(hasty: Desk, answered: bool) -> None:
    """The consent of then is not one of now."""
    version = asked(hasty)
    first = hasty.standing.requests[1]
    if answered:
        answered_in_time(hasty, version, Approved)
    second = hasty.ask(version)
    assert second.digest == first.digest
    assert second.answered is None
    assert second.what.expires_at > first.what.expires_at


def test_a_question_that_was_asked_anew_can_be_answered(hasty: Desk, with_terms: Callable[..., Desk]) -> None:
    """The policy gives a person more time: that is another question, with its own answer."""
    version = asked(hasty)
    patient = with_terms(expires=timedelta(days=1))
    patient.engines = hasty.engines
    decide(patient.engines, version, patient.decision(version))
    patient.ask(version)
    patient.answer(version)
    assert patient.promote(version).version == 1


def test_only_those_whom_the_policy_names_may_answer(with_terms: Callable[..., Desk]) -> None:
    desk = with_terms(approvers=("bo", "eva"))
    version = asked(desk)
    with pytest.raises(BadInput, match="ana may not answer for churn version 1: its policy names bo, eva"):
        desk.answer(version, actor="ana")
    assert desk.standing.requests[1].answered is None
    desk.answer(version, actor="eva")
    assert desk.promote(version).version == 1


@pytest.mark.parametrize("actor", ["ana", "Ana", " ana "])
def test_whoever_started_the_run_may_not_answer_where_it_has_to_be_another(
    with_terms: Callable[..., Desk], actor: str
) -> None:
    """However the name is written."""
    desk = with_terms(by_another=True)
    version = asked(desk)
    with pytest.raises(BadInput, match=r"started the run of churn version 1: .* another person"):
        desk.answer(version, actor=actor)
    desk.answer(version, actor="bo")
    assert desk.promote(version).version == 1


def test_whoever_started_the_run_may_not_refuse_it_either(with_terms: Callable[..., Desk]) -> None:
    desk = with_terms(by_another=True)
    with pytest.raises(BadInput, match="another person"):
        desk.answer(asked(desk), consent=False, actor="ana")


@pytest.mark.parametrize("length", [1, 12, 64])
def test_the_beginning_of_the_question_is_enough(asking: Desk, length: int) -> None:
    version = asked(asking)
    asking.answer(version, question=asking.standing.requests[1].digest[:length])
    assert asking.promote(version).version == 1


def test_an_answer_to_another_question_is_refused(asking: Desk) -> None:
    """What the person was shown is not what is asked now."""
    version = asked(asking)
    with pytest.raises(Superseded, match="look at it again"):
        asking.answer(version, question="0" * 64)
    assert asking.standing.requests[1].answered is None


def test_an_answer_to_what_nobody_asked_says_what_is_asked(asking: Desk) -> None:
    asked(asking, 1)
    other = asking.judged(2)
    with pytest.raises(NotFound, match="no approval of churn version 2 was asked for: asked was about 1"):
        asking.answer(other)


def changed_report(desk: Desk, version: ModelVersion) -> ModelVersion:
    """The file is another one."""
    desk.engines.workspace.path(REPORT).write_text("<p>an even better model</p>")
    return version


def changed_champion(desk: Desk, version: ModelVersion) -> ModelVersion:
    """Another went to Production, and the gate compared again."""
    other = asked(desk, 7)
    desk.answer(other)
    desk.promote(other)
    decide(desk.engines, version, desk.decision(version))
    return version


def changed_decision(desk: Desk, version: ModelVersion) -> ModelVersion:
    """The gate found other figures."""
    decision = desk.decision(version)
    check = decision.checks[0].model_copy(update={"figures": {"value": 0.8}})
    decide(desk.engines, version, decision.model_copy(update={"checks": (check,)}))
    return version


def changed_policy(desk: Desk, version: ModelVersion) -> ModelVersion:
    """The definitions have another policy, and the gate judged by it."""
    desk.policy = desk.policy.model_copy(update={"confidence": 0.99})
    decide(desk.engines, version, desk.decision(version))
    return version


def changed_floor(desk: Desk, version: ModelVersion) -> ModelVersion:
    """A run was told another floor."""
    decide(desk.engines, version, desk.decision(version, policy=desk.policy.with_floor(0.1)))
    return version


def changed_lineage(field: str) -> Callable[[Desk, ModelVersion], ModelVersion]:
    """The registry says that it was made of something else."""

    def change(desk: Desk, version: ModelVersion) -> ModelVersion:  # noqa: ARG001 - as the others
        lineage = version.lineage.model_copy(update={field: "0" * 64})
        return version.model_copy(update={"lineage": lineage})

    return change


@pytest.mark.parametrize("consent", [False, True])
@pytest.mark.parametrize(
    ("change", "named"),
    [
        (changed_report, "another report"),
        (changed_champion, "another decision, champion"),
        (changed_decision, "another decision"),
        (changed_policy, "another policy, decision"),
        (changed_floor, "another policy, decision"),
        (changed_lineage("training_set"), "another training set"),
        (changed_lineage("definitions"), "another definitions"),
    ],
)
def test_a_change_of_what_was_shown_voids_the_question_and_the_consent(
    asking: Desk, change: Callable[[Desk, ModelVersion], ModelVersion], named: str, consent: bool
) -> None:
    """Each by itself: what changed is named, and it can be neither answered nor used."""
    version = asked(asking)
    if consent:
        asking.answer(version)
    version = change(asking, version)
    production = asking.standing.production
    with pytest.raises(Superseded, match=f"{named} is there now: run `mlops run churn`, which asks anew"):
        asking.promote(version) if consent else asking.answer(version)
    assert asking.standing.production == production


def test_a_change_of_what_was_shown_makes_another_question(asking: Desk) -> None:
    version = asked(asking)
    first = asking.ask(version)
    asking.answer(version)
    changed_decision(asking, version)
    second = asking.ask(version)
    assert second.digest != first.digest
    assert second.answered is None
    asking.answer(version, reason="also good")
    assert asking.promote(version).version == 1


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"code": "0" * 64}, "the code changed"),
        ({"model_digest": "0" * 64}, "not the model that the gate decided on"),
    ],
)
def test_a_decision_that_no_longer_holds_voids_the_question(
    asking: Desk, changes: dict[str, str], named: str
) -> None:
    """Code and model are those of the decision: without it there is nothing to consent to."""
    version = asking.register(1)
    decide(asking.engines, version, asking.decision(version, **changes))
    asking.ask(version)
    with pytest.raises(Superseded, match=named):
        asking.answer(version)


def test_a_model_that_is_another_voids_the_consent(asking: Desk) -> None:
    version = asked(asking)
    asking.answer(version)
    with pytest.raises(Superseded, match="is not the model that the gate decided on"):
        asking.promote(version.model_copy(update={"digest": "0" * 64}))


def test_a_report_that_lies_elsewhere_voids_nothing(asking: Desk) -> None:
    """Who answers on another machine has seen the one that the question names."""
    version = asked(asking)
    asking.engines.workspace.path(REPORT).unlink()
    asking.answer(version)
    assert asking.promote(version).version == 1


def test_a_question_without_its_report_is_not_asked(asking: Desk) -> None:
    version = asking.judged(1)
    with pytest.raises(FileNotFoundError):
        ask(asking.engines, version, "elsewhere.html")


def test_a_refusal_stays_and_is_not_asked_about_again(asking: Desk) -> None:
    """The next night finds the same question, and its answer."""
    version = asked(asking)
    asking.answer(version, consent=False, reason="not in the holidays")
    before = asking.standing.head
    assert asking.ask(version).status(datetime.now(UTC)) == "refused"
    assert asking.standing.head == before
    with pytest.raises(Superseded, match="the request is refused"):
        asking.promote(version)


def test_a_refusal_does_not_expire(hasty: Desk) -> None:
    version = asked(hasty)
    answered_in_time(hasty, version, Refused)
    assert hasty.ask(version).status(datetime.now(UTC)) == "refused"
    assert [kind for kind, _ in hasty.kinds].count("approval requested") == 1


@pytest.mark.parametrize("consent", [False, True])
def test_the_same_answer_twice_changes_nothing(asking: Desk, consent: bool) -> None:
    """Also of two persons at once the first is written."""
    version = asked(asking)
    asking.answer(version, consent=consent, actor="bo")
    before = asking.standing.entries
    asking.answer(version, consent=consent, actor="eva")
    assert asking.standing.entries == before


@pytest.mark.parametrize("consent", [False, True])
def test_an_answer_is_not_taken_back(asking: Desk, consent: bool) -> None:
    """The message says who answered what, and why."""
    version = asked(asking)
    asking.answer(version, consent=consent, actor="bo", reason="I say so")
    said = "approved" if consent else "refused"
    with pytest.raises(Superseded, match=rf"answered already: {said} by bo at .* \(I say so\)"):
        asking.answer(version, consent=not consent, actor="eva")


def test_an_answer_needs_a_name_and_a_reason(asking: Desk) -> None:
    version = asked(asking)
    for actor, reason in (("", "good"), ("bo", "  ")):
        with pytest.raises(BadInput, match="kept in the ledger"):
            asking.answer(version, actor=actor, reason=reason)
    assert asking.standing.requests[1].answered is None


def test_a_question_is_still_the_same_once_its_version_is_in_production(asking: Desk) -> None:
    """Being the champion itself is no change of the champion."""
    asking.engines.actor = "cron"
    version = asked(asking)
    asking.answer(version)
    asking.promote(version)
    request = current_question(asking.engines, asking.standing, version, asking.policy)
    assert isinstance(request.asked.event, ApprovalRequested)
    assert request.asked.name == NAME
