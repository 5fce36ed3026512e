"""Whether a registered version may go on to Production: asked by whoever delivers it, written nowhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from mlops_core.domain.ledger import Approved
from mlops_core.errors import NotFound, Superseded
from mlops_core.promotion.approval import current_question, standing_decision
from mlops_core.promotion.record import standing_of

if TYPE_CHECKING:
    from mlops_core.domain.gates import GatePolicy
    from mlops_core.domain.registry import ModelVersion
    from mlops_core.domain.standing import Request, Standing
    from mlops_core.ports import Engines

__all__ = ["Onward", "onward"]

Verdict = Literal["passed", "rejected", "refused", "withdrawn", "superseded"]
Consent = Literal["not wanted", "waiting", "approved", "refused", "expired"]


@dataclass(frozen=True)
class Onward:
    """`verdict` says whether the version may go on, and `why` in a sentence.

    It may when it "passed"; the answer of a person (`approval`) may still be waited for then. "superseded"
    means that it has to be decided or asked anew, "withdrawn" that it was rolled back from. `request` is the
    question that a person is asked, None where nobody is.
    """

    version: ModelVersion
    standing: Standing
    verdict: Verdict
    why: str
    approval: Consent
    request: Request | None


def onward(engines: Engines, version: ModelVersion, policy: GatePolicy, *, digest: str = "") -> Onward:
    """Look at what `promote` would look at; the ledger and the registry stay as they are.

    `policy` is that of the definitions as they are now, `digest` the beginning of the digest that the version
    is expected to have. Raises `Superseded` when it has another, `NotFound` when nothing was decided on it.
    """
    if not version.digest.startswith(digest.lower()):
        raise Superseded(
            f"{version.name} version {version.number} is {version.digest[:12]} here, not {digest[:12]}: a "
            "version never changes its digest, so this is another registry than the one that was meant"
        )
    standing = standing_of(engines, version.name)
    approval, request = _consent(standing, version)
    verdict, why = _verdict(engines, standing, version, policy, approval)
    return Onward(version, standing, verdict, why, approval, request)


def _verdict(
    engines: Engines, standing: Standing, version: ModelVersion, policy: GatePolicy, approval: Consent
) -> tuple[Verdict, str]:
    if standing.production == version.number:
        return "passed", "it is in Production"
    try:
        decision = standing_decision(standing, version, policy, engines.code.whole)
        if decision.verdict == "rejected":
            return "rejected", f"the gate rejected it for {', '.join(decision.failed)}"
        withdrawn = standing.withdrawn.get(version.number)
        if withdrawn is not None:
            return "withdrawn", _withdrawn(version, withdrawn.actor, withdrawn.at, withdrawn.reason)
        if approval == "not wanted":
            return "passed", "the gate passed it, and no person is asked"
        return _asked(engines, standing, version, policy, approval)
    except Superseded as error:
        return "superseded", str(error)


def _asked(
    engines: Engines, standing: Standing, version: ModelVersion, policy: GatePolicy, approval: Consent
) -> tuple[Verdict, str]:
    request = standing.requests.get(version.number)
    again = f"run `mlops run {version.name}`, which asks anew"
    if request is None:
        return "superseded", f"its policy asks for a person, and nobody was asked yet: {again}"
    answer = request.answered
    if approval == "refused" and answer is not None:
        return "refused", f"{answer.actor} refused it at {answer.at:%Y-%m-%d %H:%M} UTC ({answer.reason})"
    if approval == "expired":
        return "superseded", f"the question expired at {request.what.expires_at:%Y-%m-%d %H:%M} UTC: {again}"
    current_question(engines, standing, version, policy)
    if answer is None:
        return "passed", "the gate passed it, and a person is asked"
    return "passed", f"the gate passed it, and {answer.actor} approved it"


def _withdrawn(version: ModelVersion, actor: str, at: datetime, reason: str) -> str:
    return (
        f"it was rolled back from by {actor} at {at:%Y-%m-%d %H:%M} UTC ({reason}) and comes back only when "
        f"a person names it: `mlops promote {version.name} {version.number} --reason …`"
    )


def _consent(standing: Standing, version: ModelVersion) -> tuple[Consent, Request | None]:
    """Whether a person's consent is wanted and there, by the newest decision."""
    decision, request = standing.decisions.get(version.number), standing.requests.get(version.number)
    in_production = standing.production == version.number
    if decision is None:
        if not in_production:
            raise NotFound(
                f"the gate has not decided on {version.name} version {version.number}: run `mlops run "
                f"{version.name}`, which judges"
            )
        return "not wanted", None
    if decision.policy.approval is None:
        return "not wanted", None
    if request is None:
        return ("not wanted" if in_production else "waiting"), None
    if in_production:  # it was used: that it has expired since is nothing to ask anew for
        used = request.answered is not None and isinstance(request.answered.event, Approved)
        return ("approved" if used else "not wanted"), request
    return request.status(datetime.now(UTC)), request
