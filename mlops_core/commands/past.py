"""What was in Production at some time, and why: facts from the ledger, and how they are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_core.commands.output import moment, one_line, say
from mlops_core.domain.ledger import Adopted, Approved, Decided, Deployed, Promoted, RolledBack
from mlops_core.summary import telling

if TYPE_CHECKING:
    from datetime import datetime

    from mlops_core.domain.ledger import Entry
    from mlops_core.domain.standing import Standing

__all__ = ["facts_at", "tell", "tell_nothing"]


def facts_at(standing: Standing, at: datetime) -> dict[str, Any]:
    """The version in Production at `at`, how it came there and what was served; None where there was none."""
    then = standing.at(at)
    number = then.production
    since = None if number is None else then.since(number)
    facts: dict[str, Any] = {"name": standing.name, "at": at.isoformat(), "production": None, "served": None}
    if then.last_served is not None:
        facts["served"] = _served(then.last_served)
    if number is None or since is None:
        return facts
    rests_on = _promotion(then, since)
    event = rests_on.event if rests_on else None
    facts["production"] = {
        "version": number,
        "digest": then.models[number],
        "since": since.at.isoformat(),
        "how": _how(then, since),
        "actor": since.actor,
        "reason": since.reason,
        "waived": list(event.waived) if isinstance(event, Promoted) else [],
        "decision": _decision(then, event.decision) if isinstance(event, Promoted) else None,
        "approval": _approval(then, event.request) if isinstance(event, Promoted) else None,
    }
    return facts


def tell(standing: Standing, at: datetime, facts: dict[str, Any]) -> None:
    """The facts in a few lines."""
    found = facts["production"]
    if found is None:
        tell_nothing(standing, at)
        return
    say(f"{standing.name} version {found['version']} was in Production at {moment(at)} UTC.")
    say("")
    say(f"  digest      {found['digest']}")
    say(f"  since       {_moment(found['since'])} UTC, {found['how']} by {one_line(found['actor'])}")
    decision = found["decision"]
    say(f"  why         {one_line(found['reason'])}")
    if decision is not None:
        judged = f"{decision['verdict']} at {_moment(decision['at'])} UTC"
        say(f"  decision    {judged}, {decision['digest'][:12]}")
        for check in decision["checks"]:
            say(f"              - {check['name']}: {one_line(check['sentence'])}")
    if found["waived"]:
        say(f"  waived      {', '.join(found['waived'])}")
    if found["approval"] is not None:
        by = found["approval"]
        say(f"  approved    {_moment(by['at'])} UTC, by {one_line(by['actor'])}: {one_line(by['reason'])}")
    served = facts["served"]
    if served is None:
        say("  served      nothing")
    else:
        say(f"  served      version {served['version']} from {served['release']},")
        say(f"              since {_moment(served['since'])} UTC, content {served['content'][:12]}")


def tell_nothing(standing: Standing, at: datetime) -> None:
    """Why no version was in Production."""
    name, first = standing.name, standing.entries[0]
    if at < first.at:
        say(
            f"Nothing of {name} was known at {moment(at)} UTC: its ledger begins at {moment(first.at)} UTC, "
            f"with version {first.version}."
        )
    else:
        say(f"No version of {name} was in Production at {moment(at)} UTC.")


def _how(then: Standing, since: Entry) -> str:
    if isinstance(since.event, Adopted):
        return "found there when the ledger began, entered"
    before = then.entries[since.number - 2] if since.number > 1 else None
    if before is not None and isinstance(before.event, RolledBack) and before.event.to == since.version:
        return f"rolled back to from version {before.version}"
    return "promoted"


def _promotion(then: Standing, since: Entry) -> Entry | None:
    """The promotion that a decision stands behind: for a version rolled back to, its earlier one."""
    found = [
        entry
        for entry in then.entries[: since.number]
        if entry.version == since.version and isinstance(entry.event, Promoted) and entry.event.decision
    ]
    return found[-1] if found else None


def _decision(then: Standing, digest: str | None) -> dict[str, Any] | None:
    for entry in reversed(then.entries):
        if isinstance(entry.event, Decided) and entry.event.decision.digest == digest:
            decision = entry.event.decision
            return {
                "digest": decision.digest,
                "at": entry.at.isoformat(),
                "verdict": decision.verdict,
                "champion": decision.champion,
                "checks": [check.model_dump(mode="json") for check in telling(decision)],
            }
    return None


def _approval(then: Standing, request: str | None) -> dict[str, Any] | None:
    for entry in reversed(then.entries):
        if request is not None and isinstance(entry.event, Approved) and entry.event.request == request:
            return {
                "request": request,
                "at": entry.at.isoformat(),
                "actor": entry.actor,
                "reason": entry.reason,
            }
    return None


def _served(entry: Entry) -> dict[str, Any]:
    event = entry.event
    assert isinstance(event, Deployed)  # noqa: S101 - what `Standing.served` holds
    return {
        "version": entry.version,
        "release": event.release,
        "content": event.content,
        "since": entry.at.isoformat(),
    }


def _moment(iso: str) -> str:
    return iso[:19].replace("T", " ")
