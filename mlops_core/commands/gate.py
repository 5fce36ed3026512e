"""`mlops gate USE_CASE VERSION`: whether a registered version may go on to Production."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_core.commands.output import one_line, print_json, say
from mlops_core.commands.outputs import add_outputs, write_outputs
from mlops_core.commands.subject import add_version, use_case_named, version_of
from mlops_core.commands.versions import facts_of, stage_of, tell_decision

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from mlops_core.promotion import Onward

__all__ = ["add"]

_EXIT = {"passed": 0, "superseded": 1, "rejected": 3, "refused": 3, "withdrawn": 3}


def add(verbs: Any, words: Sequence[str]) -> None:  # noqa: ARG001 - every verb is added the same way
    """Add the verb."""
    parser = verbs.add_parser(
        "gate",
        help="whether a version may go on to Production",
        description="Say whether a registered version may go on to Production: whether the gate's decision "
        "still stands and passed it, and what a person is asked. Nothing is entered. Exit code 0 when it may "
        "go on, though a person may still have to answer; 3 when the gate rejected it, a person refused it "
        "or it was rolled back from; 1 when it has to be decided or asked anew.",
    )
    add_version(parser)
    parser.add_argument(
        "--digest",
        default="",
        metavar="DIGEST",
        help="the digest that the version must have, or its beginning; empty: any",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_outputs(parser, "version, digest, verdict, approval, question, previous")
    parser.set_defaults(command=_gate)


def _gate(arguments: argparse.Namespace) -> int:
    from mlops_core.promotion import onward, registered
    from mlops_core.settings import Settings
    from mlops_core.wiring import ConfiguredEngines

    number = version_of(arguments.version)
    engines = ConfiguredEngines(Settings.load(), reads_only=True)
    use_case = use_case_named(engines, arguments.use_case)
    version = registered(engines, use_case.name, number)
    found = onward(engines, version, use_case.gate, digest=arguments.digest)
    write_outputs(arguments.outputs, _outputs(found))
    if arguments.json:
        print_json(_facts(found))
    else:
        _tell(found, known_as=arguments.use_case)
    return _EXIT[found.verdict]


def _outputs(found: Onward) -> dict[str, str]:
    """What later steps of a workflow go by."""
    previous = found.standing.production
    return {
        "version": str(found.version.number),
        "digest": found.version.digest,
        "verdict": found.verdict,
        "approval": found.approval.replace(" ", "-"),
        "question": found.request.digest if found.request else "",
        "previous": "" if previous is None else str(previous),
    }


def _facts(found: Onward) -> dict[str, Any]:
    facts = facts_of(found.standing, found.version)
    kept = {name: facts[name] for name in ("stage", "candidate", "metrics", "decision", "rolled_back_from")}
    asked = {"state": found.approval, "question": facts["approval"]}
    return {
        "name": found.version.name,
        "version": found.version.number,
        "digest": found.version.digest,
        "verdict": found.verdict,
        "why": found.why,
        "approval": asked,
        "previous": found.standing.production,
        **kept,
    }


def _tell(found: Onward, *, known_as: str) -> None:
    version, standing = found.version, found.standing
    goes = "may go on" if found.verdict == "passed" else "may not go on"
    say(f"{version.name} {version.number} {goes}: {one_line(found.why)}")
    say(f"  model         {version.digest}")
    say(f"  stage         {stage_of(standing, version)}, {version.candidate}")
    if standing.production not in (None, version.number):
        say(f"  production    version {standing.production}, which it would replace")
    tell_decision(standing, version.number)
    if found.approval == "waiting" and found.verdict == "passed" and found.request is not None:
        asked = f"{known_as} {version.number} --question {found.request.digest[:12]} --reason …"
        say(f"  answer        mlops approve {asked}")
        say(f"                mlops reject {asked}")
