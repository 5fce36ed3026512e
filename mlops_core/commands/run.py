"""`mlops run USE_CASE`: deliver a model in this process, without Prefect."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

from mlops_core.commands.output import print_json, say, warn
from mlops_core.errors import NotFound, TaskFailed
from mlops_core.options import add_options
from mlops_core.parameters import DeliveryParameters, parameters_of
from mlops_core.summary import EXIT_REJECTED
from mlops_core.validation import validated

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from mlops_core.dag import TaskRun

__all__ = ["add"]


def add(verbs: Any, words: Sequence[str]) -> None:
    """Add the verb; the options are those of the use case that `words` name."""
    parser = verbs.add_parser("run", help="deliver a model: features, training, gate, release")
    parser.add_argument("use_case", metavar="USE_CASE", help="such as churn, or module:ATTRIBUTE")
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    parser.set_defaults(command=_run)
    add_options(parser, _model(words))


def _model(words: Sequence[str]) -> type[DeliveryParameters]:
    from mlops_core.usecases import find

    if words[:1] == ["run"] and len(words) > 1 and not words[1].startswith("-"):
        try:
            return parameters_of(find(words[1]))
        except NotFound:
            pass  # said by `_run`, after the other words have been looked at
    return DeliveryParameters


def _run(arguments: argparse.Namespace) -> int:
    from mlops_core.dag import Hooks
    from mlops_core.delivery import Delivery
    from mlops_core.pipeline import WORKERS
    from mlops_core.settings import Settings
    from mlops_core.usecases import find

    use_case = find(arguments.use_case)
    given = {
        name: value for name, value in vars(arguments).items() if name in DeliveryParameters.model_fields
    }
    parameters = validated(parameters_of(use_case), given)
    if not arguments.quiet:
        logging.basicConfig(stream=sys.stderr, format="%(message)s")
        logging.getLogger("mlops_core").setLevel(logging.INFO)
    delivery = Delivery(use_case, parameters, Settings.load(), known_as=arguments.use_case)
    hooks = Hooks() if arguments.quiet else Hooks(on_finish=_progress)
    try:
        context = delivery.dag.execute(max_workers=WORKERS, hooks=hooks)
    except TaskFailed as failed:
        raise (failed.__cause__ or failed) from None
    outcome = delivery.outcome(context)
    if arguments.json:
        print_json(outcome.model_dump(mode="json"))
    else:
        say(delivery.summary(context))
    return EXIT_REJECTED if parameters.fail_on_rejection and outcome.turned_down else 0


def _progress(run: TaskRun) -> None:
    warn(f"{run.name}: {run.state} in {run.seconds:.1f} s")
