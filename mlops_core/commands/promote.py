"""`mlops promote` and `mlops rollback`: a person names what is to be in Production."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_core.commands.deed import facts_of_deed
from mlops_core.commands.output import print_json, say, warn
from mlops_core.commands.subject import (
    add_deed,
    add_version,
    engines_for,
    model_named,
    reason_of,
    use_case_named,
    version_of,
)
from mlops_core.errors import BadInput, MlopsError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from mlops_core.ports import Engines

__all__ = ["add"]


def add(verbs: Any, words: Sequence[str]) -> None:  # noqa: ARG001 - every verb is added the same way
    """Add both verbs."""
    promote = verbs.add_parser("promote", help="put a version that passed into Production, by its number")
    add_version(promote)
    add_deed(promote)
    promote.add_argument(
        "--waive",
        action="append",
        default=[],
        metavar="CHECK",
        help="a failed check of the gate to pass over, by name; once a check; kept in the ledger",
    )
    promote.add_argument("--json", action="store_true", help="print JSON")
    promote.set_defaults(command=_promote)
    back = verbs.add_parser("rollback", help="serve the version that served before again, exactly")
    back.add_argument("use_case", metavar="USE_CASE", help="such as churn; or a model's name")
    back.add_argument("word", nargs="?", metavar="", help="")  # to say what was meant, see `_rollback`
    back.add_argument("--to", metavar="N", help="a version that served once; default: the one before")
    add_deed(back)
    back.add_argument("--json", action="store_true", help="print JSON")
    back.set_defaults(command=_rollback)


def _promote(arguments: argparse.Namespace) -> int:
    from mlops_core.domain.handover import Handover
    from mlops_core.promotion import bring, registered, standing_of, where

    reason, number = reason_of(arguments), version_of(arguments.version)
    engines = engines_for(arguments)
    use_case = use_case_named(engines, arguments.use_case)
    name = use_case.name
    version = registered(engines, name, number)
    before = standing_of(engines, name).production
    brought = bring(
        engines,
        version,
        use_case.gate,
        actor=engines.actor,
        reason=reason,
        named=True,
        waive=arguments.waive,
    )
    if arguments.json:
        print_json(facts_of_deed(name, before, brought))
    elif isinstance(brought, Handover):
        say(f"{name} version {number} {where(brought)}.")
    elif before == number:
        say(f"{name} version {number} was in Production already, served from {brought.uri}.")
    else:
        instead = f" instead of version {before}" if before is not None else ""
        say(f"{name} version {number} is in Production{instead}, served from {brought.uri}.")
    return 0


def _rollback(arguments: argparse.Namespace) -> int:
    from mlops_core.promotion import roll_back, standing_of

    if arguments.word is not None:
        raise BadInput(
            f"{arguments.word!r} could be the version to leave or the one to go back to: "
            f"say --to {arguments.word} for the latter"
        )
    reason = reason_of(arguments)
    to = version_of(arguments.to) if arguments.to is not None else None
    engines = engines_for(arguments)
    name = model_named(engines, arguments.use_case)
    before = standing_of(engines, name).production
    release = roll_back(engines, name, to=to, actor=engines.actor, reason=reason)
    if arguments.json:
        print_json(facts_of_deed(name, before, release))
    elif before == release.version:
        say(f"{name} version {release.version} is in Production already, served from {release.uri}.")
    else:
        say(f"{name} is rolled back from version {before} to {release.version}, served from {release.uri}.")
    _show_in_registry(engines, name)
    return 0


def _show_in_registry(engines: Engines, name: str) -> None:
    """The rollback counts whether or not the registry can be told: it may be what is down."""
    from mlops_core.promotion import mirror

    try:
        mirror(engines, name)
    except MlopsError as error:
        warn(
            f"mlops: the rollback holds, but the registry does not show it yet: {str(error).rstrip('.')}. "
            f"When that is mended: mlops registry verify {name}"
        )
