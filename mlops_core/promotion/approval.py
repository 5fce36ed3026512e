"""A person's consent: asked for by the policy, bound to what was shown, good for a time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mlops_core.domain.digest import digest_file, digest_of
from mlops_core.domain.ledger import ApprovalRequested, Approved, Binding, Draft, Refused
from mlops_core.errors import BadInput, NotFound, Superseded
from mlops_core.promotion.record import draft, mirror, record

if TYPE_CHECKING:
    from mlops_core.domain.gates import Approval, GateDecision, GatePolicy
    from mlops_core.domain.registry import ModelVersion
    from mlops_core.domain.standing import Request, Standing
    from mlops_core.ports import Engines

__all__ = ["answer", "ask", "asked_already", "current_question", "standing_decision"]


def ask(engines: Engines, version: ModelVersion, report: str) -> Request:
    """The question whether a version that passed may go to Production, put once.

    `report` is the report's path relative to the state folder. What was asked before and is still the same
    question is not asked again, answered or not, unless it expired.
    """

    def wanted(standing: Standing) -> list[Draft]:
        decision = standing.decisions[version.number]
        terms = decision.policy.approval
        if terms is None:
            raise BadInput(f"the policy of {version.name} asks for no approval")
        if asked_already(engines, standing, version, report) is not None:
            return []
        binding = _binding(version, decision, standing, digest_file(engines.workspace.path(report)))
        until = datetime.now(UTC) + terms.expires
        event = ApprovalRequested(binding=binding, terms=terms, expires_at=until, report_path=report)
        return [draft(version, event, engines.actor, "the gate passed it, and its policy asks for a person")]

    standing = record(engines.ledger, version.name, wanted)
    mirror(engines, version.name)
    return standing.requests[version.number]


def asked_already(engines: Engines, standing: Standing, version: ModelVersion, report: str) -> Request | None:
    """The question that `ask` would find put already; None when it would put one."""
    decision, before = standing.decisions[version.number], standing.requests.get(version.number)
    if before is None or before.status(datetime.now(UTC)) == "expired":
        return None
    binding = _binding(version, decision, standing, digest_file(engines.workspace.path(report)))
    return before if before.digest == binding.digest else None


def answer(
    engines: Engines,
    version: ModelVersion,
    policy: GatePolicy,
    *,
    consent: bool,
    actor: str,
    reason: str,
    question: str = "",
) -> Standing:
    """Enter a person's answer to the question about a version.

    `policy` is that of the definitions as they are now. `question` is the beginning of the digest that the
    person was shown; empty: whatever is asked now. The same answer again changes nothing. Raises `NotFound`
    when nothing is asked, `BadInput` when this person may not answer, and `Superseded` when the question has
    expired, was answered otherwise or is no longer the one that was shown.
    """

    def wanted(standing: Standing) -> list[Draft]:
        request = _asked(standing, version, question)
        status = request.status(datetime.now(UTC))
        if status == ("approved" if consent else "refused"):
            return []
        if status != "waiting":
            raise Superseded(_no_longer(version, request, status))
        _check_person(version, request, actor)
        if consent:
            current_question(engines, standing, version, policy)
        event = (Approved if consent else Refused)(request=request.digest)
        return [draft(version, event, actor, reason)]

    standing = record(engines.ledger, version.name, wanted)
    mirror(engines, version.name)
    return standing


def standing_decision(
    standing: Standing, version: ModelVersion, policy: GatePolicy, code: str
) -> GateDecision:
    """The gate's newest decision on a version, when it can still be acted on; `code` is that of today.

    Raises `NotFound` when there is none and `Superseded` when model, policy, code or champion are no longer
    those that it was made with.
    """
    decision = standing.decisions.get(version.number)
    who = f"{version.name} version {version.number}"
    again = f"run `mlops run {version.name}`, which judges anew"
    if decision is None:
        raise NotFound(f"the gate has not decided on {who}: {again}")
    if decision.model_digest != version.digest:
        raise Superseded(f"{who} is not the model that the gate decided on: {again}")
    if decision.policy.stated != policy.stated:
        raise Superseded(f"the gate's policy changed since it decided on {who}: {again}")
    if decision.code != code:
        raise Superseded(f"the code changed since the gate decided on {who}: {again}")
    if standing.champion not in (decision.champion_digest, version.digest):
        was = f"version {decision.champion}" if decision.champion else "no version"
        raise Superseded(
            f"{who} was compared with {was} in Production, but version {standing.production} is there now: "
            f"{again}"
        )
    return decision


def current_question(
    engines: Engines, standing: Standing, version: ModelVersion, policy: GatePolicy
) -> Request:
    """The question about a version, when what was asked is what would be asked now.

    Raises `NotFound` when nothing was asked and `Superseded` when model, data, definitions, policy, code,
    decision, champion or report are no longer those that were shown.
    """
    decision = standing_decision(standing, version, policy, engines.code.whole)
    request = _asked(standing, version, "")
    shown = request.what.binding
    report = engines.workspace.path(request.what.report_path)
    digest = digest_file(report) if report.is_file() else shown.report
    now = _binding(version, decision, standing, digest)
    if standing.production == version.number:
        now = now.model_copy(update={"champion": shown.champion})  # it is the champion by now
    changed = [name for name in Binding.model_fields if getattr(now, name) != getattr(shown, name)]
    if changed:
        raise Superseded(
            f"what was asked about {version.name} version {version.number} no longer holds, another "
            f"{', '.join(changed).replace('_', ' ')} is there now: run `mlops run {version.name}`, "
            "which asks anew"
        )
    return request


def _binding(version: ModelVersion, decision: GateDecision, standing: Standing, report: str) -> Binding:
    return Binding(
        model=version.digest,
        training_set=version.lineage.training_set,
        definitions=version.lineage.definitions,
        code=decision.code,
        policy=digest_of(decision.policy),
        decision=decision.digest,
        champion=standing.champion,
        report=report,
    )


def _asked(standing: Standing, version: ModelVersion, question: str) -> Request:
    request = standing.requests.get(version.number)
    who = f"{version.name} version {version.number}"
    if request is None:
        waiting = [str(number) for number in standing.requests]
        there = f"asked was about {', '.join(waiting)}" if waiting else "nothing waits for an approval"
        raise NotFound(f"no approval of {who} was asked for: {there}")
    if not request.digest.startswith(question):
        raise Superseded(
            f"what is asked about {who} now is {request.digest[:12]}, not {question[:12]}: look at it again"
        )
    return request


def _no_longer(version: ModelVersion, request: Request, status: str) -> str:
    who = f"the question about {version.name} version {version.number}"
    if status == "expired" or request.answered is None:
        return (
            f"{who} expired at {request.what.expires_at:%Y-%m-%d %H:%M} UTC: run `mlops run {version.name}`, "
            "which asks anew"
        )
    by = request.answered
    return f"{who} was answered already: {status} by {by.actor} at {by.at:%Y-%m-%d %H:%M} UTC ({by.reason})"


def _check_person(version: ModelVersion, request: Request, actor: str) -> None:
    terms: Approval = request.what.terms
    who = f"{version.name} version {version.number}"
    if terms.approvers and actor.strip() not in terms.approvers:
        raise BadInput(f"{actor} may not answer for {who}: its policy names {', '.join(terms.approvers)}")
    if terms.by_another and actor.strip().casefold() == request.asked.actor.casefold():
        raise BadInput(
            f"{actor} started the run of {who}: its policy wants the answer of another person (--actor)"
        )
