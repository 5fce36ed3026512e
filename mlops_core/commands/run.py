"""`mlops run USE_CASE`, or `--from` an exported file: deliver a model in this process, without Prefect."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_core.commands.output import print_json, say
from mlops_core.commands.subject import options_of
from mlops_core.errors import BadInput, TaskFailed
from mlops_core.options import add_options
from mlops_core.parameters import DeliveryParameters, parameters_of
from mlops_core.summary import EXIT_REJECTED
from mlops_core.validation import validated

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from mlops_core.commands.display import Display
    from mlops_core.dag import PipelineDAG
    from mlops_core.delivery import Delivery
    from mlops_core.domain.pipeline import PipelineDocument

__all__ = ["add"]


def add(verbs: Any, words: Sequence[str]) -> None:
    """Add the verb; the options are those of the use case that `words`, or the file they name, are about."""
    parser = verbs.add_parser("run", help="deliver a model: features, training, gate, release")
    parser.add_argument("use_case", metavar="USE_CASE", nargs="?", help="such as churn, or module:ATTRIBUTE")
    parser.add_argument(
        "--from",
        dest="file",
        type=Path,
        metavar="FILE",
        help="instead of USE_CASE: a pipeline that `mlops export --to yaml` (or json) wrote",
    )
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")
    parser.set_defaults(command=_run, log=logging.INFO)
    add_options(parser, options_of(words, "run"))


def _run(arguments: argparse.Namespace) -> int:
    from mlops_core.delivery import Delivery
    from mlops_core.pipeline import WORKERS
    from mlops_core.settings import Settings
    from mlops_core.usecases import find

    document = _document(arguments)
    known_as = arguments.use_case if document is None else document.use_case
    use_case = find(known_as)
    parameters = _parameters(arguments, parameters_of(use_case), document)
    delivery = Delivery(use_case, parameters, Settings.load(), known_as=known_as)
    dag = delivery.dag if document is None else _adopted(document, delivery, arguments.file)
    shown: Display = arguments.display
    try:
        context = shown.watched(dag).execute(max_workers=WORKERS, hooks=shown.hooks)
    except TaskFailed as failed:
        raise (failed.__cause__ or failed) from None
    outcome = delivery.outcome(context)
    if arguments.json:
        print_json(outcome.model_dump(mode="json"))
    else:
        say(delivery.summary(context))
    return EXIT_REJECTED if parameters.fail_on_rejection and outcome.turned_down else 0


def _document(arguments: argparse.Namespace) -> PipelineDocument | None:
    """What `--from` names. Raises `BadInput` unless exactly one of it and a use case is given."""
    if (arguments.file is None) == (arguments.use_case is None):
        came = "got neither" if arguments.file is None else f"got {arguments.use_case} and {arguments.file}"
        raise BadInput(f"expected USE_CASE or --from FILE, {came} (see mlops run --help)")
    if arguments.file is None:
        return None
    from mlops_core.exporters import from_text

    try:
        text = arguments.file.read_text("utf-8")
    except OSError as error:
        raise BadInput(f"--from {arguments.file}: it cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"--from {arguments.file}: expected a text in UTF-8: {error.reason}") from error
    return from_text(text, f"--from {arguments.file}")


def _parameters(
    arguments: argparse.Namespace, model: type[DeliveryParameters], document: PipelineDocument | None
) -> DeliveryParameters:
    """The run's parameters: those of the file, and options over them."""
    given = {
        name: value for name, value in vars(arguments).items() if name in DeliveryParameters.model_fields
    }
    if document is None:
        return validated(model, given)
    try:
        told = validated(model, document.parameters)
    except BadInput as error:
        raise BadInput(f"--from {arguments.file}: parameters: {error}") from error
    return validated(model, told.model_dump(exclude_unset=True) | given)


def _adopted(document: PipelineDocument, delivery: Delivery, file: Path) -> PipelineDAG:
    from mlops_core.exporters import adopted, consent_of

    try:
        if document.name != delivery.use_case.name:
            raise BadInput(
                f"name: {document.use_case} is the use case {delivery.use_case.name!r}, got {document.name!r}"
            )
        return adopted(document, delivery.dag, consent_of(delivery.use_case))
    except BadInput as error:
        raise BadInput(f"--from {file}: {error}") from error
