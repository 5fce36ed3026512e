"""`mlops models list|show`: the registered versions of a use case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_core.commands.output import print_json, print_table, say
from mlops_core.errors import NotFound

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from mlops_core.domain.registry import ModelVersion

__all__ = ["add", "pick"]


def add(verbs: Any, words: Sequence[str]) -> None:  # noqa: ARG001 - every verb is added the same way
    """Add the verb and its two sub-commands."""
    parser = verbs.add_parser("models", help="list registered versions, or show one")
    actions = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    listing = actions.add_parser("list", help="all versions of a use case")
    listing.add_argument("use_case", metavar="USE_CASE")
    listing.set_defaults(command=_list)
    showing = actions.add_parser("show", help="one version: its metrics, lineage and the gate's decision")
    showing.add_argument("reference", metavar="USE_CASE[@STAGE|@N]", help="e.g. churn@production, churn@3")
    showing.set_defaults(command=_show)
    for action in (listing, showing):
        action.add_argument("--json", action="store_true", help="print JSON")


def pick(versions: Sequence[ModelVersion], name: str, which: str) -> ModelVersion:
    """The version of a number or a stage ("production", the newest "staging", "archived").

    Raises `NotFound`, naming the versions there are.
    """
    if not versions:
        raise NotFound(_nothing(name))
    if which.isdecimal():
        found = [one for one in versions if one.number == int(which)]
    else:
        found = [one for one in versions if one.stage.lower() == which.lower()]
    if not found:
        there = ", ".join(f"{one.number} ({one.stage})" for one in versions)
        raise NotFound(f"{name} has no version @{which}: there are {there}")
    return found[-1]


def _nothing(name: str) -> str:
    return f"{name} has no registered version yet: deliver one with `mlops run {name}`"


def _list(arguments: argparse.Namespace) -> int:
    versions = _versions(arguments.use_case)
    if arguments.json:
        print_json([_facts(one) for one in versions])
    elif not versions:
        say(_nothing(arguments.use_case))
    else:
        rows = [
            [
                str(one.number),
                one.stage,
                one.candidate,
                f"{one.metrics['roc_auc']:.4f}" if "roc_auc" in one.metrics else "",
                one.decision.verdict if one.decision else "",
                f"{one.created_at:%Y-%m-%d %H:%M}",
                one.digest[:12],
            ]
            for one in versions
        ]
        print_table(["version", "stage", "candidate", "roc_auc", "gate", "registered (UTC)", "digest"], rows)
    return 0


def _show(arguments: argparse.Namespace) -> int:
    name, _, which = arguments.reference.partition("@")
    version = pick(_versions(name), name, which or "production")
    if arguments.json:
        print_json(_facts(version))
        return 0
    say(f"{version.name} {version.number}, {version.stage}, {version.candidate}")
    say(f"  digest      {version.digest}")
    say(f"  registered  {version.created_at:%Y-%m-%d %H:%M:%S} UTC, MLflow run {version.run_id}")
    for metric, value in sorted(version.metrics.items()):
        say(f"  {metric:<28}{value:.4f}")
    if version.decision is not None:
        say(f"  gate        {version.decision.verdict}")
        for reason in version.decision.reasons:
            say(f"              - {reason}")
    return 0


def _facts(version: ModelVersion) -> dict[str, Any]:
    return version.model_dump(mode="json", exclude={"use_case", "tags"})


def _versions(name: str) -> list[ModelVersion]:
    from mlops_core.settings import Settings
    from mlops_core.usecases import find
    from mlops_core.wiring import ConfiguredEngines

    return ConfiguredEngines(Settings.load()).registry.versions(find(name).name)
