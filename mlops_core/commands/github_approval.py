"""`mlops github approval`: what GitHub's reviewers said of a run, as an answer in our ledger."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from mlops_core.commands.output import one_line, print_json, say
from mlops_core.commands.subject import add_version, engines_for, use_case_named, version_of
from mlops_core.errors import BadInput, Superseded

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from mlops_core.domain.gates import GatePolicy
    from mlops_core.domain.review import Review
    from mlops_core.promotion import Onward
    from mlops_core.wiring import ConfiguredEngines

__all__ = ["add", "number_of"]

_UNANSWERED, _REFUSED = 1, 3


def add(actions: Any) -> None:
    """Add the sub-command."""
    parser = actions.add_parser(
        "approval",
        help="enter what reviewers said of a run on GitHub as the answer about a version",
        description="Promotes nothing. Exit code 0 when consent is there or none is wanted, 3 when it may "
        "not go on, 1 when nobody has answered or it has to be asked anew. The token needs actions: read.",
    )
    add_version(parser)
    parser.add_argument(
        "--question",
        default="",
        metavar="DIGEST",
        help="beginning of the digest of what the reviewers saw; refused when another thing is asked now",
    )
    parser.add_argument("--run", metavar="RUN_ID", help="the run's number; default: GITHUB_RUN_ID")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(command=_approval)


def number_of(word: str, what: str) -> int:
    """The number of something on GitHub. Raises `BadInput` for anything else."""
    if not (word.isascii() and word.isdecimal()) or int(word) == 0:
        raise BadInput(f"{word!r} is no {what}: give its number")
    return int(word)


def _approval(arguments: argparse.Namespace) -> int:
    from mlops_core.promotion import onward, registered

    number = version_of(arguments.version)
    engines = engines_for(arguments)
    use_case = use_case_named(engines, arguments.use_case)
    found = onward(engines, registered(engines, use_case.name, number), use_case.gate)
    if found.verdict == "passed" and found.approval == "waiting":
        return _asked_of_github(arguments, engines, found, use_case.gate)
    _check_question(found, arguments.question.lower())
    _tell(arguments, found, found.approval, f"{use_case.name} version {number}: {one_line(found.why)}.")
    if found.verdict == "passed":
        return 0
    return _UNANSWERED if found.verdict == "superseded" else _REFUSED


def _tell(arguments: argparse.Namespace, found: Onward, approval: str, text: str) -> None:
    """How it stands with a version: "waiting" while nobody has answered."""
    name, number = found.version.name, found.version.number
    if arguments.json:
        print_json({"name": name, "version": number, "approval": approval, "why": text})
    else:
        say(text)


def _asked_of_github(
    arguments: argparse.Namespace, engines: ConfiguredEngines, found: Onward, policy: GatePolicy
) -> int:
    run = number_of(arguments.run or os.environ.get("GITHUB_RUN_ID", ""), "run (--run)")
    question, request = arguments.question.lower(), found.request
    assert request is not None  # noqa: S101 - something is waited for
    if not question:
        raise BadInput(
            "say with --question what the reviewers were shown: the digest that `mlops gate` gives"
        )
    _check_question(found, question)
    reviews = engines.github.reviews(run)
    who = f"{found.version.name} version {found.version.number}"
    if not reviews:
        asked = f"{arguments.use_case} {found.version.number} --question {request.digest[:12]} --reason …"
        nobody = f"nobody has answered for {who} yet, and nobody reviewed run {run} for its environment."
        next_ = f"\nNext: mlops approve {asked} --hold  |  mlops reject {asked}"
        _tell(arguments, found, found.approval, nobody if arguments.json else nobody + next_)
        return _UNANSWERED
    entered = _entered(engines, found, policy, reviews, question, engines.github.run_url(str(run)))
    what = "approved" if entered.consent else "refused"
    _tell(arguments, found, what, f"{who} is {what} by {one_line(entered.actor)}, by GitHub.")
    return 0 if entered.consent else _REFUSED


def _check_question(found: Onward, question: str) -> None:
    if found.request is not None and not found.request.digest.startswith(question):
        raise Superseded(
            f"what is asked about {found.version.name} version {found.version.number} now is "
            f"{found.request.digest[:12]}, not {question[:12]}: look at it again"
        )


def _entered(
    engines: ConfiguredEngines,
    found: Onward,
    policy: GatePolicy,
    reviews: Sequence[Review],
    question: str,
    url: str,
) -> Review:
    """Enter one answer: a refusal where there is one, or else the first consent that the policy allows.

    Raises `BadInput` when the policy lets none of them answer.
    """
    from mlops_core.promotion import answer

    said = [review for review in reviews if not review.consent] or list(reviews)
    refused: BadInput | None = None
    for review in said:
        try:
            answer(
                engines,
                found.version,
                policy,
                consent=review.consent,
                actor=review.actor,
                reason=_reason(said, url),
                question=question,
            )
        except BadInput as error:  # the policy names others, or wants another than who started it
            refused = error
        else:
            return review
    raise refused or BadInput("nobody reviewed the run")


def _reason(said: Sequence[Review], url: str) -> str:
    """Everyone who said so, with what they wrote."""
    what = "approved" if said[0].consent else "rejected"
    if len(said) == 1:
        return f"{said[0].comment or what} ({what} in GitHub run {url})"
    each = [f"{one.actor}: {one.comment}" if one.comment else one.actor for one in said]
    return f"{what} in GitHub run {url} by {'; '.join(each)}"
