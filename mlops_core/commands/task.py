"""`mlops task run`: one stage in a process of its own, receipts in and out of a run's folder."""

from __future__ import annotations

import json
import logging
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mlops_core.commands.output import say, warn
from mlops_core.errors import BadInput, NotFound
from mlops_core.options import add_options
from mlops_core.parameters import DeliveryParameters, parameters_of
from mlops_core.summary import EXIT_REJECTED
from mlops_core.validation import validated

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from mlops_core.dag import Context, Task
    from mlops_core.delivery import Delivery
    from mlops_core.run_folder import RunFolder

__all__ = ["EXIT_RETRY", "add"]

EXIT_RETRY = 75
"""Exit code of an attempt after which another is worth it: EX_TEMPFAIL of sysexits.h."""


def add(verbs: Any, words: Sequence[str]) -> None:
    """Add the verb; the options are those of a run of the use case that `words` name."""
    task = verbs.add_parser("task", help="one stage of a delivery in a process of its own")
    deeds = task.add_subparsers(title="commands", metavar="COMMAND", parser_class=type(task))
    run = deeds.add_parser("run", help="run one task: receipts in and out of the run's folder")
    run.add_argument("use_case", metavar="USE_CASE", help="such as churn, or module:ATTRIBUTE")
    run.add_argument("task", metavar="TASK", help="such as gate; model_training: of all candidates in turn")
    run.add_argument("--run", required=True, metavar="DIR", help="the run's folder, or its URL")
    run.add_argument("--parameters", metavar="JSON", help="what the run is told, as one JSON object")
    run.add_argument("--json", action="store_true", help="print the receipt, as JSON on the last line")
    run.add_argument("--quiet", action="store_true", help="no progress")
    run.set_defaults(command=_run)
    add_options(run, _model(words))


def _model(words: Sequence[str]) -> type[DeliveryParameters]:
    from mlops_core.usecases import find

    if words[:1] == ["task"] and len(words) > 2 and not words[2].startswith("-"):
        try:
            return parameters_of(find(words[2]))
        except NotFound:
            pass  # said by the command, after the other words have been looked at
    return DeliveryParameters


def _run(arguments: argparse.Namespace) -> int:
    from mlops_core.delivery import Delivery
    from mlops_core.run_folder import RunFolder
    from mlops_core.settings import Settings
    from mlops_core.usecases import find

    use_case, folder = find(arguments.use_case), RunFolder(arguments.run)
    told = validated(parameters_of(use_case), _given(arguments))
    begun = folder.begin(arguments.use_case, told.model_dump(mode="json", exclude_defaults=True))
    parameters = validated(parameters_of(use_case), begun.parameters)
    if not arguments.quiet:
        logging.basicConfig(stream=sys.stderr, format="%(message)s")
        logging.getLogger("mlops_core").setLevel(logging.INFO)
    delivery = Delivery(
        use_case, parameters, Settings.load(), known_as=arguments.use_case, started=begun.begun_at
    )
    for task in _tasks(delivery, arguments.task):
        context = folder.receipts(task.upstream)
        try:
            receipt = _attempt(task, context)
        except Exception as error:
            retry = task.retry.retries(error)
            folder.failed(task.name, error, retry=retry)
            if not retry:
                raise
            warn(f"mlops: {task.name}: {error}")
            return EXIT_RETRY
        folder.finished(task.name, receipt, context)
        last = not delivery.dag.descendants(task.name)
        code = _conclude(delivery, folder, parameters, quiet=arguments.quiet) if last else 0
        if arguments.json:
            say(json.dumps(receipt.model_dump(mode="json"), ensure_ascii=False, allow_nan=False))
    return code


def _given(arguments: argparse.Namespace) -> dict[str, Any]:
    """What the run is told: `--parameters`, and options over it. Empty texts and nulls say nothing."""
    try:
        told = json.loads(arguments.parameters or "{}") or {}
    except ValueError as error:
        raise BadInput(
            f"--parameters: expected a JSON object, got {arguments.parameters!r}: {error}"
        ) from None
    if not isinstance(told, dict):
        raise BadInput(f"--parameters: expected a JSON object, got {arguments.parameters!r}")
    told = {name: value for name, value in told.items() if value is not None and value != ""}
    options = {
        name: value for name, value in vars(arguments).items() if name in DeliveryParameters.model_fields
    }
    return told | options


def _tasks(delivery: Delivery, name: str) -> list[Task]:
    """The task of this name, or those of a stage that has one for each candidate."""
    if name in delivery.dag:
        return [delivery.dag[name]]
    found = [task for task in delivery.dag if task.name.startswith(f"{name}.")]
    return found or [delivery.dag[name]]  # which raises, and says what there is


def _attempt(task: Task, context: Context) -> Any:
    """One attempt, within the task's time-out: whoever called this process makes the others."""
    from mlops_core.dag import PipelineDAG, RetryPolicy

    alone = replace(task, upstream=(), retry=RetryPolicy(retry_on=task.retry.retry_on))
    report_of = PipelineDAG([alone]).run(context)
    for error in report_of.errors.values():
        raise error
    return context[task.name]


def _conclude(delivery: Delivery, folder: RunFolder, parameters: DeliveryParameters, *, quiet: bool) -> int:
    """The run's last words and exit code, once its last task has finished."""
    context = {task.name: folder.receipt(task.name) for task in delivery.dag}
    if None in context.values():
        return 0
    if not quiet:
        warn(delivery.summary(context))
    outcome = delivery.outcome(context)
    return EXIT_REJECTED if parameters.fail_on_rejection and outcome.turned_down else 0
