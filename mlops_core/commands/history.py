"""`mlops history USE_CASE`: what happened to its versions, and what was in Production at any time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mlops_core.commands import past
from mlops_core.commands.output import moment, one_line, print_json, print_table, say
from mlops_core.commands.subject import engines_for, model_named, version_of
from mlops_core.commands.times import past_instant_of
from mlops_core.domain.ledger import (
    Adopted,
    Archived,
    Decided,
    Deployed,
    Promoted,
    RolledBack,
    TrialEnded,
    Tried,
)
from mlops_core.domain.standing import Standing
from mlops_core.errors import BadInput, NotFound

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from mlops_core.domain.ledger import Entry

__all__ = ["add"]

_LONGEST = 100  # characters of a reason in the table; `--json` has all of it


def add(verbs: Any, words: Sequence[str]) -> None:  # noqa: ARG001 - every verb is added the same way
    """Add the verb."""
    parser = verbs.add_parser("history", help="what happened to versions: who, when and why")
    parser.add_argument("use_case", metavar="USE_CASE", help="such as churn; or a model's name")
    parser.add_argument("--at", metavar="TIME", help="what was in Production at this time, or on this date")
    parser.add_argument("--version", metavar="N", help="entries of one version alone")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(command=_history)


def _history(arguments: argparse.Namespace) -> int:
    if arguments.at is not None and arguments.version is not None:
        raise BadInput("--at asks which version was there: leave --version out")
    at = past_instant_of(arguments.at, datetime.now(UTC)) if arguments.at is not None else None
    number = version_of(arguments.version) if arguments.version is not None else None
    engines = engines_for(arguments)
    name = model_named(engines, arguments.use_case)
    standing = Standing.of(name, engines.ledger.entries(name))
    if at is not None:
        _tell_at(standing, at, as_json=arguments.json)
        return 0
    entries = [entry for entry in standing.entries if number in (None, entry.version)]
    if number is not None and not entries:
        there = ", ".join(map(str, sorted(standing.models))) or "none"
        raise NotFound(f"the ledger has no version {number} of {name}: there are {there}")
    if arguments.json:
        print_json([entry.model_dump(mode="json") | {"digest": entry.digest} for entry in entries])
    elif not entries:
        say(_nothing(name))
    else:
        print_table(["time (UTC)", "what", "version", "who", "why"], [_row(entry) for entry in entries])
    return 0


def _tell_at(standing: Standing, at: datetime, *, as_json: bool) -> None:
    facts = past.facts_at(standing, at)
    if as_json:
        print_json(facts)
    elif standing.entries:
        past.tell(standing, at, facts)
    else:
        say(_nothing(standing.name))


def _nothing(name: str) -> str:
    return f"the ledger has nothing of {name} yet: deliver a version with `mlops run {name}`"


def _row(entry: Entry) -> list[str]:
    return [
        moment(entry.at),
        _what(entry),
        str(entry.version),
        one_line(entry.actor, 30),
        one_line(entry.reason, _LONGEST),
    ]


def _what(entry: Entry) -> str:
    match entry.event:
        case Decided(decision=decision):
            return f"decided: {decision.verdict}"
        case Promoted(waived=waived) if waived:
            return f"promoted, waiving {', '.join(waived)}"
        case Archived(successor=successor):
            return f"archived for {successor}"
        case RolledBack(to=to):
            return f"rolled back to {to}"
        case Deployed(release=release):
            return f"deployed {release.rpartition('/')[2]}"
        case Tried(percent=percent, shadow=shadow):
            return f"tried as a shadow of {percent} %" if shadow else f"tried on {percent} %"
        case TrialEnded(by=by):
            return "taken back by its target" if by == "target" else f"trial ended by {by}"
        case Adopted(stage=stage):
            return f"adopted in {stage}"
        case event:
            return event.kind
