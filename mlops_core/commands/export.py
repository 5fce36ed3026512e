"""`mlops export USE_CASE --to …`: the pipeline, or its features, as text for other tools."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_core.commands.output import say
from mlops_core.errors import BadInput

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from mlops_core.domain.usecase import UseCase

__all__ = ["add"]


def add(verbs: Any, words: Sequence[str]) -> None:  # noqa: ARG001 - every verb is added the same way
    """Add the verb."""
    parser = verbs.add_parser(
        "export", help="the pipeline as a diagram, or the features as a Feast repository"
    )
    parser.add_argument("use_case", metavar="USE_CASE", help="such as churn, or module:ATTRIBUTE")
    parser.add_argument("--to", required=True, choices=["mermaid", "feast"], help="what to make")
    parser.add_argument("--into", type=Path, metavar="FOLDER", help="where a Feast repository is written")
    parser.set_defaults(command=_export)


def _export(arguments: argparse.Namespace) -> int:
    from mlops_core.usecases import find

    use_case = find(arguments.use_case)
    if arguments.to == "mermaid":
        say(_diagram(use_case).rstrip())
    elif arguments.into is None:
        raise BadInput("a Feast repository is several files: say where with --into FOLDER")
    else:
        _write_feast(use_case, arguments.into)
    return 0


def _diagram(use_case: UseCase) -> str:
    from mlops_core.exporters import to_mermaid
    from mlops_core.pipeline import build_pipeline
    from mlops_core.settings import Settings
    from mlops_core.wiring import ConfiguredEngines

    return to_mermaid(build_pipeline(use_case, ConfiguredEngines(Settings.load()), data={}))


def _write_feast(use_case: UseCase, folder: Path) -> None:
    """The repository, with the events that are stored and aggregates at the close of every month."""
    from mlops_core.disk import replace_file, translated
    from mlops_core.domain.time import close_of_day, month_ends
    from mlops_core.exporters import to_feast
    from mlops_core.history import EventHistory
    from mlops_core.settings import Settings
    from mlops_core.wiring import ConfiguredEngines

    engines = ConfiguredEngines(Settings.load())
    history = EventHistory(use_case, engines)
    held = history.held(use_case.source(use_case.label.source))
    last = close_of_day(held.last)
    events = history.files()
    moments = sorted({*month_ends(held.first, last), last})
    spine = engines.offline.spine(use_case, events[use_case.label.source], moments)
    with translated("write a Feast repository", folder):
        (folder / "data").mkdir(parents=True, exist_ok=True)
        types = engines.write_feast_data(use_case, events, spine, folder / "data")
        made = to_feast(use_case, types=types)
        replace_file(folder / "feature_repo.py", made.definitions.encode())
        replace_file(folder / "feature_store.yaml", made.configuration.encode())
    say(f"{folder}: feature_repo.py, feature_store.yaml and the data of {len(use_case.views)} views")
    say(f"Next, with Feast 0.67: cd {folder} && feast apply")
