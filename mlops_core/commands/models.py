"""`mlops models list|show|compare`: the versions of a use case, and how the ledger has them stand."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mlops_core.commands import compare
from mlops_core.commands.output import moment, one_line, print_json, print_table, say
from mlops_core.commands.subject import engines_for, model_named
from mlops_core.commands.versions import facts_of, note_on, stage_of, tell_decision
from mlops_core.comparison import intervals_of
from mlops_core.domain.metrics import suits
from mlops_core.domain.readable import column_of, figure_text, figure_with_interval
from mlops_core.errors import NotFound

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from mlops_core.domain.registry import ModelVersion
    from mlops_core.domain.standing import Standing
    from mlops_core.wiring import ConfiguredEngines

__all__ = ["add", "pick", "referred"]

_VALIDATION = "validation_"  # what the candidate was chosen by


def add(verbs: Any, words: Sequence[str]) -> None:  # noqa: ARG001 - every verb is added the same way
    """Add the verb and its sub-commands."""
    parser = verbs.add_parser("models", help="list registered versions, show one, or compare two")
    actions = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    listing = actions.add_parser("list", help="all versions of a use case")
    listing.add_argument("use_case", metavar="USE_CASE")
    listing.set_defaults(command=_list)
    showing = actions.add_parser("show", help="one version: digests, metrics, the gate's decision, approval")
    showing.add_argument("reference", metavar="USE_CASE[@STAGE|@N]", help="e.g. churn@production, churn@3")
    showing.set_defaults(command=_show)
    compare.add(actions)
    for action in (listing, showing):
        action.add_argument("--json", action="store_true", help="print JSON")


def pick(versions: Sequence[ModelVersion], standing: Standing, name: str, which: str) -> ModelVersion:
    """The version of a number or, by the ledger, of a stage: the newest where several are in it.

    Raises `NotFound`, naming the versions there are.
    """
    if not versions:
        raise NotFound(_nothing(name))
    if which.isdecimal():
        found = [one for one in versions if one.number == int(which)]
    else:
        found = [one for one in versions if stage_of(standing, one).casefold() == which.casefold()]
    if not found:
        there = ", ".join(f"{one.number} ({stage_of(standing, one)})" for one in versions)
        raise NotFound(f"{name} has no version @{which}: there are {there}")
    return max(found, key=lambda one: one.number)


def referred(engines: ConfiguredEngines, reference: str) -> tuple[ModelVersion, Standing]:
    """The version that "churn@3" or "churn@staging" means; "churn" is the one in Production."""
    from mlops_core.promotion import standing_of

    word, _, which = reference.partition("@")
    name = model_named(engines, word)
    standing = standing_of(engines, name)
    return pick(engines.registry.versions(name), standing, name, which or "production"), standing


def _nothing(name: str) -> str:
    return f"{name} has no registered version yet: deliver one with `mlops run {name}`"


def _list(arguments: argparse.Namespace) -> int:
    from mlops_core.promotion import standing_of

    engines = engines_for(arguments)
    name = model_named(engines, arguments.use_case)
    versions, standing = engines.registry.versions(name), standing_of(engines, name)
    if arguments.json:
        print_json([facts_of(standing, one) for one in versions])
    elif not versions:
        say(_nothing(name))
    else:
        _print_list(versions, standing)
    return 0


def _print_list(versions: Sequence[ModelVersion], standing: Standing) -> None:
    metric = _metric(versions[-1])
    now = datetime.now(UTC)
    rows = []
    for one in versions:
        decision = standing.decisions.get(one.number)
        rows.append(
            [
                str(one.number),
                stage_of(standing, one),
                one.candidate,
                figure_text(metric, one.metrics[metric]) if metric in one.metrics else "",
                decision.verdict if decision else "",
                f"{one.created_at:%Y-%m-%d %H:%M}",
                one.digest[:12],
                note_on(standing, one.number, now),
            ]
        )
    heads = ["version", "stage", "candidate", column_of(metric), "gate", "registered (UTC)", "digest", ""]
    print_table(heads, rows)


def _metric(version: ModelVersion) -> str:
    """The metric that its use case judges by; by the definitions it was registered with."""
    gate: dict[str, Any] = json.loads(version.use_case).get("gate", {})
    return str(gate.get("metric", "roc_auc"))


def _show(arguments: argparse.Namespace) -> int:
    version, standing = referred(engines_for(arguments), arguments.reference)
    if arguments.json:
        print_json(facts_of(standing, version))
        return 0
    say(f"{version.name} {version.number}, {stage_of(standing, version)}, {version.candidate}")
    lineage = version.lineage
    say(f"  model         {version.digest}")
    say(f"  training set  {lineage.training_set}")
    say(f"  definitions   {lineage.definitions}")
    say(f"  code          {lineage.code}{f', git {lineage.git_commit[:12]}' if lineage.git_commit else ''}")
    say(f"  data          as of {lineage.as_of:%Y-%m-%d}")
    say(f"  registered    {moment(version.created_at)} UTC, run {version.run_id}")
    told = dict(_metrics(version))
    width = max(map(len, told), default=0)
    for name, figure in told.items():
        say(f"  {name:<{width}}  {figure}")
    tell_decision(standing, version.number)
    _tell_ledger(standing, version.number)
    return 0


def _metrics(version: ModelVersion) -> Iterator[tuple[str, str]]:
    """By name; those of numbers with their intervals, whose ends lose their sense with the sign."""
    whole = {one: found for one, found in intervals_of(version).items() if suits(one, "regression")}
    ends = {f"{one}{end}" for one in whole for end in ("_low", "_high")}
    for metric, value in sorted(version.metrics.items()):
        if metric in whole:
            yield column_of(metric), figure_with_interval(metric, whole[metric])
        elif metric not in ends:
            chosen_by = metric.removeprefix(_VALIDATION)
            title = column_of(chosen_by)
            told = metric if title == chosen_by else f"{title}, validation"
            yield told, figure_text(chosen_by, value)


def _tell_ledger(standing: Standing, number: int) -> None:
    since = standing.since(number)
    if since is not None:
        what = "production" if standing.production == number else "was there"
        say(f"  {what:<14}since {moment(since.at)} UTC, by {one_line(since.actor)}: {one_line(since.reason)}")
    withdrawn = standing.withdrawn.get(number)
    if withdrawn is not None:
        say(
            f"  rolled back   from at {moment(withdrawn.at)} UTC, by {one_line(withdrawn.actor)}: "
            f"{one_line(withdrawn.reason)}"
        )
