"""`mlops export USE_CASE --to …`: the pipeline, its features or its model, as text for other tools."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from mlops_core.commands.export_files import ADDED, Written, write_files
from mlops_core.commands.export_model import MODELS, export_model
from mlops_core.commands.export_told import JsonTold, Told
from mlops_core.commands.output import print_json
from mlops_core.commands.subject import options_of
from mlops_core.errors import BadInput
from mlops_core.options import add_options
from mlops_core.parameters import DeliveryParameters, parameters_of
from mlops_core.validation import validated

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping, Sequence

    from mlops_core.dag import PipelineDAG
    from mlops_core.domain.pipeline import Parameter, PipelineDocument, Schedule
    from mlops_core.domain.usecase import UseCase

__all__ = ["TARGETS", "Exported", "Target", "add", "exported"]


@dataclass(frozen=True)
class Exported:
    """What every target is made from: the DAG, its document, and what each run may be told."""

    dag: PipelineDAG
    document: PipelineDocument
    form: tuple[Parameter, ...]


def exported(
    use_case: UseCase,
    given: Mapping[str, Any] | None = None,
    *,
    known_as: str | None = None,
    cron: str | None = None,
    timezone: str | None = None,
) -> Exported:
    """The pipeline of a use case as runs with the parameters `given` have it. Reads no data and no state.

    `known_as` is how commands find the use case, by default its name. Raises `BadInput` for parameters that
    no run could be told, and for a schedule that cannot be meant.
    """
    from mlops_core.exporters import consent_of, document_of, form_of
    from mlops_core.pipeline import build_pipeline
    from mlops_core.settings import Settings
    from mlops_core.wiring import ConfiguredEngines

    model = parameters_of(use_case)
    parameters = validated(model, given or {})
    dag = build_pipeline(parameters.applied_to(use_case), ConfiguredEngines(Settings.load()), data={})
    document = document_of(
        dag,
        name=use_case.name,
        use_case=known_as,
        parameters=parameters.model_dump(mode="json", exclude_defaults=True),
        schedule=_schedule(cron, timezone),
        consent=consent_of(use_case),
    )
    return Exported(dag, document, form_of(model, document))


def _schedule(cron: str | None, timezone: str | None) -> Schedule | None:
    from mlops_core.domain.pipeline import Schedule

    if cron is None:
        return None
    try:
        return Schedule(cron=cron) if timezone is None else Schedule(cron=cron, timezone=timezone)
    except ValidationError as error:
        options = {"cron": "--schedule", "timezone": "--timezone"}
        said = [f"{options[str(one['loc'][0])]}: {one['ctx']['error']}" for one in error.errors()]
        raise BadInput("; ".join(said)) from error


def _yaml(made: Exported) -> tuple[str, ...]:
    from mlops_core.exporters.text import to_yaml

    return (to_yaml(made.document),)


def _json(made: Exported) -> tuple[str, ...]:
    from mlops_core.exporters.text import to_json

    return (to_json(made.document),)


def _mermaid(made: Exported) -> tuple[str, ...]:
    from mlops_core.exporters.mermaid import to_mermaid

    return (to_mermaid(made.dag),)


def _airflow(made: Exported) -> tuple[str, ...]:
    from mlops_core.exporters.airflow import to_airflow

    return (to_airflow(made.document, made.form),)


def _prefect(made: Exported) -> tuple[str, ...]:
    from mlops_core.exporters.prefect import to_prefect

    files = to_prefect(made.document, made.form)
    return (files.flow, files.deployment)


def _github_actions(made: Exported) -> tuple[str, ...]:
    from mlops_core.exporters.github_actions import to_github_actions

    return (to_github_actions(made.document, made.form),)


@dataclass(frozen=True)
class Target:
    """Its function, the names of the files that this returns, and what it can be told."""

    make: Callable[[Exported], tuple[str, ...]]
    files: tuple[str, ...]
    told: frozenset[str] = frozenset(DeliveryParameters.model_fields) | {"schedule", "timezone"}


TARGETS = {
    "yaml": Target(_yaml, ("{}.yaml",)),
    "json": Target(_json, ("{}.json",)),
    "mermaid": Target(_mermaid, ("{}.mmd",), frozenset({"candidates"})),
    "airflow": Target(_airflow, ("{}_dag.py",)),
    "prefect": Target(_prefect, ("{}_flow.py", ADDED)),
    "github-actions": Target(_github_actions, ("{}.yml",)),
    "feast": Target(lambda _: (), (), frozenset()),  # made from data too: see `_write_feast`
}

_MODEL = Target(lambda _: (), (), frozenset({"version"}))  # made from a release: see `export_model`


def add(verbs: Any, words: Sequence[str]) -> None:
    """Add the verb; the options are those of a run of the use case that `words` name."""
    parser = verbs.add_parser("export", help="the pipeline, the features or the model, for other tools")
    parser.add_argument("use_case", metavar="USE_CASE", help="such as churn, or module:ATTRIBUTE")
    parser.add_argument("--to", required=True, choices=[*TARGETS, *MODELS], help="what to make")
    parser.add_argument(
        "--into", type=Path, metavar="FOLDER", help="where to write it; a single text is printed otherwise"
    )
    parser.add_argument("--schedule", metavar="CRON", help="when it runs by itself, such as '0 6 * * 1'")
    parser.add_argument("--timezone", metavar="ZONE", help="of the schedule, such as Europe/Berlin; else UTC")
    parser.add_argument("--version", type=int, metavar="N", help="of the model; else the one in Production")
    parser.add_argument("--json", action="store_true", help="print JSON: what was written, or the text")
    parser.set_defaults(command=_export)
    add_options(parser, options_of(words, "export"))


def _export(arguments: argparse.Namespace) -> int:
    out = JsonTold() if arguments.json else Told()
    _exported_to(arguments, out)
    if isinstance(out, JsonTold):
        print_json({"text": out.text, "files": out.files})
    return 0


def _exported_to(arguments: argparse.Namespace, out: Told) -> None:
    from mlops_core.usecases import find

    target, use_case = TARGETS.get(arguments.to, _MODEL), find(arguments.use_case)
    given = {
        name: value for name, value in vars(arguments).items() if name in DeliveryParameters.model_fields
    }
    _check(arguments, target, given)
    if arguments.to in MODELS:
        export_model(
            use_case.name,
            known_as=arguments.use_case,
            to=arguments.to,
            number=arguments.version,
            into=arguments.into,
            out=out,
        )
        return
    if arguments.to == "feast":
        _write_feast(use_case, arguments.into, out)
        return
    made = exported(
        use_case,
        given,
        known_as=arguments.use_case,
        cron=arguments.schedule,
        timezone=arguments.timezone,
    )
    texts = target.make(made)
    if arguments.into is None:
        out.print(texts[0].removesuffix("\n"))
        return
    if arguments.to == "mermaid":  # a diagram that is printed is to be pasted, and says no more than it shows
        texts = (_signed(texts[0], made.document),)
    names = [name.format(use_case.name) for name in target.files]
    for written in write_files(arguments.into, dict(zip(names, texts, strict=True)), made.document):
        out.file(written)


def _signed(diagram: str, document: PipelineDocument) -> str:
    """The diagram as a file, which says what wrote it, as all exported files do."""
    from mlops_core.exporters.command import export_command

    first, rest = diagram.split("\n", 1)
    return f"{first}\n    %% made by: {export_command(document, 'mermaid')}\n{rest}"


def _check(arguments: argparse.Namespace, target: Target, given: Mapping[str, Any]) -> None:
    others = ("schedule", "timezone", "version")
    told = [*given, *(one for one in others if getattr(arguments, one) is not None)]
    strange = [f"--{one.replace('_', '-')}" for one in told if one not in target.told]
    if strange:
        raise BadInput(f"{', '.join(strange)}: an export to {arguments.to} cannot say that: leave it away")
    if arguments.timezone is not None and arguments.schedule is None:
        raise BadInput("--timezone: it is the schedule's: give --schedule CRON too")
    if arguments.into is None and len(target.files) != 1:
        what = "a Feast repository" if arguments.to == "feast" else f"an export to {arguments.to}"
        raise BadInput(f"{what} is several files: say where with --into FOLDER")


def _write_feast(use_case: UseCase, folder: Path, out: Told) -> None:
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
    for name, text in (("feature_repo.py", made.definitions), ("feature_store.yaml", made.configuration)):
        out.wrote(Written(folder / name, "written", text))
    out.close(
        f"{folder}: feature_repo.py, feature_store.yaml and the data of {len(use_case.views)} views\n"
        f"Next, with Feast 0.67: cd {folder} && feast apply"
    )
