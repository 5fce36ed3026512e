"""`mlops lineage USE_CASE@…`: where a version comes from and where it went."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_core.commands.lineage_tree import tree_of
from mlops_core.commands.models import referred
from mlops_core.commands.output import print_json, say, warn
from mlops_core.commands.subject import engines_for
from mlops_core.commands.versions import stage_of
from mlops_core.errors import BadInput, MlopsError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from mlops_core.domain.descent import Descent
    from mlops_core.domain.history import HistoryVersion
    from mlops_core.domain.registry import ModelVersion
    from mlops_core.domain.standing import Standing
    from mlops_core.wiring import ConfiguredEngines

__all__ = ["add"]


def add(verbs: Any, words: Sequence[str]) -> None:  # noqa: ARG001 - every verb is added the same way
    """Add the verb."""
    parser = verbs.add_parser("lineage", help="where a version comes from, and where it went")
    parser.add_argument(
        "reference",
        metavar="USE_CASE[@STAGE|@N]",
        help="e.g. churn@production, churn@3; without a version, the one in Production",
    )
    parser.add_argument("--json", action="store_true", help="print OpenLineage run events")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page with a picture")
    parser.set_defaults(command=_lineage)


def _lineage(arguments: argparse.Namespace) -> int:
    engines = engines_for(arguments)
    version, standing = referred(engines, arguments.reference)
    descent = _descent(engines, version, standing)
    if arguments.html is not None:
        try:
            engines.reporter.write_descent(descent, arguments.html)
        except OSError as error:
            what = f"cannot write the page {arguments.html}: {error.strerror}. Name another file with --html"
            raise BadInput(what) from error
    if arguments.json:
        from mlops_core.exporters import to_openlineage

        print_json(to_openlineage(version, descent))
    elif arguments.html is not None:
        say(f"{arguments.html}: the lineage of {version.name} version {version.number}")
    else:
        say(f"{version.name} version {version.number}, {stage_of(standing, version)}; times are UTC\n")
        say("\n".join(tree_of(descent)))
    return 0


def _descent(engines: ConfiguredEngines, version: ModelVersion, standing: Standing) -> Descent:
    """By the registry and the ledger, and by what this machine knows of events and target."""
    from mlops_core.descent import (
        descent_of,
        descent_with_events,
        descent_with_history,
        descent_with_target,
    )
    from mlops_core.evidence import consent_of
    from mlops_core.promotion.grounds import Grounds
    from mlops_core.promotion.target import content_of

    grounds = Grounds.of(standing, version.number)
    descent = descent_of(version, grounds.decision, consent_of(grounds.request))
    descent = descent_with_history(descent, standing)
    descent = descent_with_events(descent, _events(engines, version))
    try:
        current = engines.deployer.current(version.name)
    except MlopsError as error:  # what is served cannot be trusted: that is no reason to show nothing
        warn(f"mlops: the target was left out: {error}")
        return descent
    served = (content_of(current), current.version) if current else (None, None)
    return descent_with_target(descent, *served)


def _events(engines: ConfiguredEngines, version: ModelVersion) -> dict[str, HistoryVersion]:
    """The versions of the history that it was made from, by source; those that this workspace has."""
    from mlops_core.domain.usecase import UseCase
    from mlops_core.history import EventHistory

    found: dict[str, HistoryVersion] = {}
    try:
        use_case = UseCase.stored(version.use_case, f"version {version.number} of {version.name}")
        history = EventHistory(use_case, engines)
        for source in use_case.sources:
            for one in history.versions(source):
                if one.digest == version.lineage.data.get(source.name):
                    found[source.name] = one
    except MlopsError as error:  # definitions of another version of this software, or a damaged file
        warn(f"mlops: what is known of the events was left out: {error}")
    return found
