"""How a version stands by the ledger, as facts and as lines."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mlops_core.commands.output import moment, one_line, say
from mlops_core.domain.ledger import Promoted

if TYPE_CHECKING:
    from mlops_core.domain.registry import ModelVersion
    from mlops_core.domain.standing import Request, Standing

__all__ = ["facts_of", "note_on", "stage_of", "tell_decision"]

_LEFT_OUT = {"use_case", "tags", "probes", "profile"}  # long, and rows of real entities among them


def stage_of(standing: Standing, version: ModelVersion) -> str:
    """The stage of a version; one that was registered and not entered any more is in none."""
    return standing.stages.get(version.number, "not in the ledger")


def note_on(standing: Standing, number: int, now: datetime) -> str:
    """What else a person should know of a version at a glance; mostly nothing."""
    if standing.trial is not None and standing.trial.version == number:
        return "on trial"
    if number in standing.withdrawn:
        return "rolled back from"
    since = standing.since(number)
    if since is not None:
        waived = since.event.waived if isinstance(since.event, Promoted) else ()
        return f"waived: {', '.join(waived)}" if waived and number == standing.production else ""
    request = standing.requests.get(number)
    if request is None:
        return ""
    status = request.status(now)
    return {"waiting": "awaits approval", "expired": "approval expired"}.get(status, status)


def facts_of(standing: Standing, version: ModelVersion) -> dict[str, Any]:
    """All that is known of a version, but for what is long."""
    number = version.number
    decision = standing.decisions.get(number)
    request = standing.requests.get(number)
    withdrawn = standing.withdrawn.get(number)
    since = standing.since(number)
    return version.model_dump(mode="json", exclude=_LEFT_OUT) | {
        "stage": standing.stages.get(number),
        "production_since": since.at.isoformat() if since else None,
        "decision": decision.model_dump(mode="json") | {"digest": decision.digest} if decision else None,
        "approval": _approval(request) if request else None,
        "rolled_back_from": None
        if withdrawn is None
        else {"at": withdrawn.at.isoformat(), "actor": withdrawn.actor, "reason": withdrawn.reason},
    }


def tell_decision(standing: Standing, number: int) -> None:
    """The gate's decision with every check, the failed ones first, and the approval, if one is wanted."""
    decision = standing.decisions.get(number)
    if decision is None:
        say("  gate          has not decided")
        return
    against = f" against version {decision.champion}" if decision.champion else ""
    say(f"  gate          {decision.verdict}{against}, decision {decision.digest[:12]}")
    for outcome in ("failed", "passed"):
        for check in decision.checks:
            if check.outcome == outcome:
                say(f"    {outcome}  {check.name}: {one_line(check.sentence)}")
    aside = [check.name for check in decision.checks if check.outcome == "not applicable"]
    if aside:
        say(f"    not applicable: {', '.join(aside)}")
    request = standing.requests.get(number)
    if request is not None:
        _tell_approval(request)


def _tell_approval(request: Request) -> None:
    status, by = request.status(datetime.now(UTC)), request.answered
    say(f"  approval      {status}, question {request.digest[:12]}")
    say(f"                asked at {moment(request.asked.at)} UTC, run started by {request.asked.actor}")
    if by is not None:
        say(f"                answered at {moment(by.at)} UTC by {one_line(by.actor)}: {one_line(by.reason)}")
    if status in ("waiting", "expired"):
        say(f"                good until {moment(request.what.expires_at)} UTC")


def _approval(request: Request) -> dict[str, Any]:
    by = request.answered
    return {
        "status": request.status(datetime.now(UTC)),
        "question": request.digest,
        "asked_at": request.asked.at.isoformat(),
        "expires_at": request.what.expires_at.isoformat(),
        "started_by": request.asked.actor,
        "answer": None
        if by is None
        else {"kind": by.event.kind, "at": by.at.isoformat(), "actor": by.actor, "reason": by.reason},
    }
