"""`mlops registry verify`: registry and target against the ledger, which both follow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_core.commands.output import one_line, print_json, say
from mlops_core.commands.subject import add_deed, engines_for, model_named, reason_of
from mlops_core.errors import BadInput, MlopsError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from mlops_core.wiring import ConfiguredEngines

__all__ = ["add"]


def add(verbs: Any, words: Sequence[str]) -> None:  # noqa: ARG001 - every verb is added the same way
    """Add the verb and its sub-command."""
    parser = verbs.add_parser("registry", help="compare registry and target with the ledger, and repair them")
    actions = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    verify = actions.add_parser("verify", help="make registry and target show what the ledger says")
    verify.add_argument(
        "use_case", nargs="?", metavar="USE_CASE", help="such as churn; by default every model of the ledger"
    )
    verify.add_argument(
        "--check", action="store_true", help="look only; exit code 1 when something is astray"
    )
    verify.add_argument(
        "--adopt", action="store_true", help="begin a ledger from what is registered and served (--reason)"
    )
    verify.add_argument("--json", action="store_true", help="print JSON")
    add_deed(verify)
    verify.set_defaults(command=_verify)


def _verify(arguments: argparse.Namespace) -> int:
    if arguments.adopt:
        return _adopt(arguments)
    if arguments.reason is not None:
        raise BadInput("--reason goes with --adopt: a repair says nothing that the ledger does not have")
    engines = engines_for(arguments)
    one = arguments.use_case
    names = [model_named(engines, one)] if one is not None else engines.ledger.names()
    found = {name: _looked_at(engines, name, check=arguments.check) for name in names}
    if arguments.json:
        print_json(found)
    elif not found:
        say("the ledger has no model yet: there is nothing to verify")
    else:
        for name, facts in found.items():
            _tell(name, facts)
    good = all(
        not facts["lost"] and facts["error"] is None and (facts["repaired"] or not facts["astray"])
        for facts in found.values()
    )
    return 0 if good else 1


def _looked_at(engines: ConfiguredEngines, name: str, *, check: bool) -> dict[str, Any]:
    """What was found of one model; an error of one keeps no other from being looked at."""
    from mlops_core.promotion import lost, repair, strays

    facts: dict[str, Any] = {"astray": [], "repaired": False, "lost": [], "error": None}
    try:
        facts["lost"] = lost(engines, name)
        facts["astray"] = strays(engines, name) if check else repair(engines, name)
        facts["repaired"] = not check
    except MlopsError as error:
        facts["error"] = str(error)
    return facts


def _tell(name: str, facts: dict[str, Any]) -> None:
    astray, repaired = facts["astray"], facts["repaired"]
    if astray:
        say(f"{name}: {'was astray and is repaired' if repaired else 'is astray'}")
        for sentence in astray:
            say(f"  - {one_line(sentence)}")
        if not repaired and facts["error"] is None:
            say(f"  repair it with: mlops registry verify {name}")
    elif facts["error"] is None:
        say(f"{name}: registry and target are as the ledger says")
    for sentence in facts["lost"]:
        say(f"{name}: LOST: {one_line(sentence)}")
    if facts["error"] is not None:
        say(f"{name}: cannot be verified: {one_line(facts['error'])}")


def _adopt(arguments: argparse.Namespace) -> int:
    from mlops_core.promotion import adopt

    if arguments.check or arguments.use_case is None:
        raise BadInput("--adopt begins the ledger of one model: name it, without --check")
    reason, engines = reason_of(arguments), engines_for(arguments)
    name = model_named(engines, arguments.use_case)
    standing = adopt(engines, name, actor=engines.actor, reason=reason)
    if arguments.json:
        print_json({name: {"stages": standing.stages, "production": standing.production}})
        return 0
    where = "none" if standing.production is None else f"version {standing.production}"
    say(f"{name}: a ledger begins with {len(standing.stages)} versions; in Production is {where}")
    return 0
