"""`mlops github dispatch|status|approval|comment`: what jobs, and people, ask of a repository on GitHub."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_core.commands import github_approval
from mlops_core.commands.output import one_line, print_json, say
from mlops_core.commands.subject import (
    add_deed,
    add_version,
    engines_for,
    use_case_named,
    version_of,
)
from mlops_core.errors import BadInput

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

__all__ = ["add"]

_ORDERED = "ordered with `mlops github dispatch`"


def add(verbs: Any, words: Sequence[str]) -> None:  # noqa: ARG001 - every verb is added the same way
    """Add the verb and its sub-commands."""
    parser = verbs.add_parser(
        "github",
        help="have a version delivered by a workflow, and what its jobs ask of GitHub",
        description="The repository is MLOPS_GITHUB_REPOSITORY or GITHUB_REPOSITORY, the token GITHUB_TOKEN "
        "or GH_TOKEN, the API MLOPS_GITHUB_API, GITHUB_API_URL or https://api.github.com.",
    )
    actions = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_dispatch(actions)
    _add_status(actions)
    github_approval.add(actions)
    _add_comment(actions)


def _add_dispatch(actions: Any) -> None:
    parser = actions.add_parser(
        "dispatch",
        help="have deliver.yml deliver a version, once",
        description="Create a GitHub deployment of a registered version and start deliver.yml for it. The "
        "same version again is not started again, unless its delivery failed there. The token needs the "
        "permissions deployments: write and actions: write.",
    )
    add_version(parser)
    add_deed(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(command=_dispatch)


def _add_status(actions: Any) -> None:
    parser = actions.add_parser(
        "status", help="say how a deployment goes; the token needs deployments: write"
    )
    parser.add_argument("deployment", metavar="DEPLOYMENT", help="its number")
    parser.add_argument(
        "state",
        metavar="STATE",
        help="queued, pending, in_progress, success, failure, error or inactive",
    )
    parser.add_argument("--description", default="", metavar="TEXT", help="one line, 140 letters are kept")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(command=_status)


def _add_comment(actions: Any) -> None:
    parser = actions.add_parser(
        "comment",
        help="write a comment of a pull request, or write it anew; the token needs pull-requests: write",
    )
    parser.add_argument("pull", metavar="PULL", help="the number of the pull request")
    parser.add_argument(
        "--file", required=True, metavar="FILE", help="its text, in Markdown; -: standard input"
    )
    parser.add_argument(
        "--mark", required=True, metavar="KEY", help="which comment it is, such as churn-metrics; not shown"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(command=_comment)


def _dispatch(arguments: argparse.Namespace) -> int:
    from mlops_core.promotion import hand_over, registered, where

    number, reason = version_of(arguments.version), arguments.reason
    engines = engines_for(arguments, delivery="github")
    use_case = use_case_named(engines, arguments.use_case)
    version = registered(engines, use_case.name, number)
    handed = hand_over(engines, version, actor=engines.actor, reason=_ORDERED if reason is None else reason)
    if arguments.json:
        print_json({"name": version.name, "version": number, "digest": version.digest, **handed.model_dump()})
    else:
        say(f"{version.name} version {number} {where(handed)}.")
    return 0


def _status(arguments: argparse.Namespace) -> int:
    number, run = (
        github_approval.number_of(arguments.deployment, "deployment"),
        os.environ.get("GITHUB_RUN_ID"),
    )
    github = engines_for(arguments).github
    url = github.run_url(run) if run else ""
    github.tell(number, arguments.state, arguments.description, url)
    if arguments.json:
        print_json({"deployment": number, "state": arguments.state})
    else:
        say(f"deployment {number} is {arguments.state}")
    return 0


def _comment(arguments: argparse.Namespace) -> int:
    number, text = github_approval.number_of(arguments.pull, "pull request"), _text(arguments.file)
    if not text.strip():
        raise BadInput(f"--file {arguments.file}: there is nothing in it to be said")
    url = engines_for(arguments).github.comment(number, arguments.mark, text)
    if arguments.json:
        print_json({"pull": number, "url": url})
    else:
        say(one_line(url))
    return 0


def _text(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no UTF-8"
        raise BadInput(f"--file {file}: cannot read it: {why}") from error
