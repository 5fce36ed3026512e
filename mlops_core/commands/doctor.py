"""`mlops doctor`: what is there, what is missing, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_core.commands.output import one_line, print_json, say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from mlops_core.doctor import Finding

__all__ = ["add"]


def add(verbs: Any, words: Sequence[str]) -> None:  # noqa: ARG001 - every verb is added the same way
    """Add the verb."""
    parser = verbs.add_parser("doctor", help="what is there and what is missing, and what to do about it")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(command=_doctor)


def _doctor(arguments: argparse.Namespace) -> int:
    from mlops_core.doctor import examine

    found = examine()
    problems = sum(one.state == "problem" for one in found)
    if arguments.json:
        print_json({"problems": problems, "findings": [one.model_dump(mode="json") for one in found]})
    else:
        for one in found:
            say(_line(one))
        say("")
        say(_verdict(problems))
    return 1 if problems else 0


def _line(one: Finding) -> str:
    remedy = one.remedy and (
        f". {one.remedy[0].upper()}{one.remedy[1:]}" if one.state == "problem" else f" ({one.remedy})"
    )
    return f"{one.state:<8} {one.check:<13} {one_line(one.says + remedy)}"


def _verdict(problems: int) -> str:
    if not problems:
        return "No problem. First steps: mlops run churn, then mlops predict churn --id 1"
    return f"{problems} problem{'' if problems == 1 else 's'}: mend the first, and run mlops doctor again"
