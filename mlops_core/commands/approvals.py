"""`mlops approvals`, `approve` and `reject`: what a person is asked, and the answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mlops_core.commands.deed import facts_of_answer, facts_of_deed
from mlops_core.commands.output import moment, one_line, print_json, say
from mlops_core.commands.subject import (
    add_deed,
    add_version,
    engines_for,
    model_named,
    reason_of,
    use_case_named,
    version_of,
)

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

    from mlops_core.domain.gates import GatePolicy
    from mlops_core.domain.registry import ModelVersion
    from mlops_core.domain.standing import Request, Standing
    from mlops_core.ports import Engines

__all__ = ["add"]


def add(verbs: Any, words: Sequence[str]) -> None:  # noqa: ARG001 - every verb is added the same way
    """Add the three verbs."""
    waiting = verbs.add_parser("approvals", help="what waits for a person's approval")
    waiting.add_argument(
        "use_case", nargs="?", metavar="USE_CASE", help="such as churn; by default every model of the ledger"
    )
    waiting.add_argument("--json", action="store_true", help="print JSON")
    waiting.set_defaults(command=_approvals)
    approve = verbs.add_parser("approve", help="consent to a version that waits, and put it into Production")
    reject = verbs.add_parser("reject", help="refuse a version that waits")
    for parser, command in ((approve, _approve), (reject, _reject)):
        add_version(parser)
        add_deed(parser)
        parser.add_argument("--json", action="store_true", help="print JSON")
        parser.add_argument(
            "--question",
            default="",
            metavar="DIGEST",
            help="beginning of the digest of what was looked at; refused when another thing is asked now",
        )
        parser.set_defaults(command=command)
    approve.add_argument(
        "--hold",
        action="store_true",
        help="enter the consent and promote nothing yet: `mlops promote` does, before the question expires",
    )


def _approve(arguments: argparse.Namespace) -> int:
    from mlops_core.promotion import bring, standing_of, where

    engines, version, policy, facts = _answered(arguments, consent=True)
    if arguments.hold:
        if arguments.json:
            print_json(facts | {"deed": None})
        else:
            _tell_held(engines, version, known_as=arguments.use_case)
        return 0
    before = standing_of(engines, version.name).production
    brought = bring(engines, version, policy, actor=engines.actor, reason=reason_of(arguments))
    if arguments.json:
        print_json(facts | {"deed": facts_of_deed(version.name, before, brought)})
        return 0
    say(f"{version.name} version {version.number} {where(brought)}.")
    return 0


def _tell_held(engines: Engines, version: ModelVersion, *, known_as: str) -> None:
    """What is left to do; nothing where somebody else did it meanwhile."""
    from mlops_core.promotion import standing_of

    standing, number = standing_of(engines, version.name), version.number
    if standing.production == number:
        say(f"{version.name} version {number} is in Production already.")
        return
    until = standing.requests[number].what.expires_at
    say(
        f"Nothing is promoted yet. Go on until {moment(until)} UTC, when the consent expires: "
        f"mlops promote {known_as} {number} --reason …"
    )


def _reject(arguments: argparse.Namespace) -> int:
    *_, facts = _answered(arguments, consent=False)
    if arguments.json:
        print_json(facts | {"deed": None})
    return 0


def _answered(
    arguments: argparse.Namespace, *, consent: bool
) -> tuple[Engines, ModelVersion, GatePolicy, dict[str, Any]]:
    """Enter the answer and say it, unless as JSON; returns what it was about, and the facts of it."""
    from mlops_core.promotion import answer, registered

    reason, number = reason_of(arguments), version_of(arguments.version)
    engines = engines_for(arguments)
    use_case = use_case_named(engines, arguments.use_case)
    version = registered(engines, use_case.name, number)
    standing = answer(
        engines,
        version,
        use_case.gate,
        consent=consent,
        actor=engines.actor,
        reason=reason,
        question=arguments.question.lower(),
    )
    what, then = ("approved", "") if consent else ("refused", "; it stays where it is")
    if not arguments.json:
        say(f"{use_case.name} version {number} is {what} by {_by(standing, number)}{then}.")
    return engines, version, use_case.gate, facts_of_answer(version, standing.requests[number])


def _by(standing: Standing, number: int) -> str:
    """Who answered, and when: perhaps somebody else before, to the same effect."""
    entry = standing.requests[number].answered
    assert entry is not None  # noqa: S101 - an answer was just entered, or was there
    return f"{one_line(entry.actor)} at {moment(entry.at)} UTC"


def _approvals(arguments: argparse.Namespace) -> int:
    from mlops_core.promotion import standing_of

    engines = engines_for(arguments)
    one = arguments.use_case
    names = [model_named(engines, one)] if one is not None else engines.ledger.names()
    now = datetime.now(UTC)
    waiting = [
        (standing, request)
        for standing in (standing_of(engines, name) for name in names)
        for request in standing.requests.values()
        if request.status(now) == "waiting"
    ]
    if arguments.json:
        print_json([_facts(standing, request) for standing, request in waiting])
    elif not waiting:
        say(f"nothing{f' of {names[0]}' if one is not None else ''} waits for an approval")
    else:
        for standing, request in waiting:
            report = engines.workspace.path(request.what.report_path)
            _tell(standing, request, report, known_as=one or standing.name)
    return 0


def _void(standing: Standing, request: Request) -> str | None:
    """What the ledger alone shows to have changed since it was asked; answering looks at everything."""
    bound, decision = request.what.binding, standing.decisions[request.asked.version]
    if bound.champion != standing.champion:
        return f"version {standing.production} went to Production since"
    if bound.decision != decision.digest:
        return "the gate decided anew since"
    return None


def _tell(standing: Standing, request: Request, report: Path, *, known_as: str) -> None:
    name, number = standing.name, request.asked.version
    decision = standing.decisions[number]
    against = f" against version {decision.champion}" if decision.champion else ""
    void = _void(standing, request)
    say(f"{name} {number} waits for an answer until {moment(request.what.expires_at)} UTC")
    say(f"  question  {request.digest[:12]}")
    say(f"  asked     {moment(request.asked.at)} UTC, run started by {one_line(request.asked.actor)}")
    say(f"  report    {report}")
    say(f"  gate      {decision.verdict}{against}")
    for check in decision.checks:
        if check.outcome != "not applicable":
            say(f"            - {check.name}: {one_line(check.sentence)}")
    if void is not None:
        say(f"  void      {void}: run `mlops run {known_as}`, which asks anew")
    else:
        say(f"  answer    mlops approve {known_as} {number} --question {request.digest[:12]} --reason …")
        say(f"            mlops reject {known_as} {number} --question {request.digest[:12]} --reason …")


def _facts(standing: Standing, request: Request) -> dict[str, Any]:
    decision = standing.decisions[request.asked.version]
    return {
        "name": standing.name,
        "version": request.asked.version,
        "question": request.digest,
        "asked_at": request.asked.at.isoformat(),
        "expires_at": request.what.expires_at.isoformat(),
        "started_by": request.asked.actor,
        "report": request.what.report_path,
        "void": _void(standing, request),
        "binding": request.what.binding.model_dump(mode="json"),
        "decision": decision.model_dump(mode="json"),
    }
