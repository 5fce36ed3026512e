"""`mlops task run`: one stage in a process of its own, receipts in and out of a run's folder."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mlops_core.commands.output import say, warn
from mlops_core.commands.subject import options_of
from mlops_core.commands.task_attempt import EXIT_RETRY, another, attempted, taken
from mlops_core.commands.task_retry import policy_told
from mlops_core.commands.task_subject import add_run, add_use_case, agreed, delivery_of, tasks_named
from mlops_core.errors import BadInput, Unavailable
from mlops_core.options import add_options
from mlops_core.parameters import DeliveryParameters, parameters_of
from mlops_core.summary import EXIT_REJECTED
from mlops_core.validation import validated

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from mlops_core.commands.display import Display
    from mlops_core.dag import Task
    from mlops_core.delivery import Delivery
    from mlops_core.domain.run import BegunRun
    from mlops_core.run_folder import RunFolder

__all__ = ["add"]


def add(deeds: Any, words: Sequence[str]) -> None:
    """Add the command; its options are those of a run of the use case that `words` name."""
    run = deeds.add_parser("run", help="run one task: receipts in and out of the run's folder")
    add_use_case(run)
    run.add_argument("task", metavar="TASK", help="such as gate; model_training: of all candidates in turn")
    add_run(run)
    run.add_argument(
        "--parameters",
        action="append",
        default=[],
        metavar="JSON",
        help="what the run is told, as a JSON object; of several the last word counts, and options over all",
    )
    run.add_argument(
        "--retry",
        metavar="SPEC",
        help="attempts of this process, such as attempts=4,jitter=0.2,retry_on=Unavailable+OSError; "
        "by default one, and exit code 75 where the task's own policy wants another",
    )
    run.add_argument(
        "--timeout", type=float, metavar="SECONDS", help="of each attempt; by default the task's own"
    )
    run.add_argument("--json", action="store_true", help="print the receipt, as JSON on the last line")
    run.set_defaults(command=_run, log=logging.INFO)
    add_options(run, options_of(words, "task run"))


def _run(arguments: argparse.Namespace) -> int:
    from mlops_core.run_folder import RunFolder

    folder = RunFolder(arguments.run)
    shown: Display = arguments.display
    try:
        work = _begun(arguments, folder)
    except Unavailable as error:  # the folder
        return another(error)
    failed: list[tuple[Task, Exception]] = []
    receipts: list[str] = []
    for task, context in work.tasks:
        try:
            with shown.step(task.name):
                receipt = attempted(folder, task, context)
        except Exception as error:
            failed.append((task, error))
            continue  # a candidate that fails keeps no other from its turn
        if arguments.json:
            plain = receipt.model_dump(mode="json")
            receipts.append(json.dumps(plain, ensure_ascii=False, allow_nan=False))
    try:
        return _failed(failed) if failed else _concluded(work, folder, quiet="quiet" in arguments)
    finally:  # after the run's last words: Airflow reads both streams as one, and takes the last line
        for line in receipts:
            say(line)


@dataclass(frozen=True)
class _Work:
    """What is to be done: tasks, and the receipts that each takes."""

    delivery: Delivery
    parameters: DeliveryParameters
    tasks: list[tuple[Task, dict[str, Any]]]


def _begun(arguments: argparse.Namespace, folder: RunFolder) -> _Work:
    """The work, after the run was begun if it was not; nothing is written before all of it is checked."""
    begun = folder.begun()
    work = _work(arguments, folder, begun)
    if begun is not None:
        return work
    told = work.parameters.model_dump(mode="json", exclude_defaults=True)
    return _work(arguments, folder, folder.begin(arguments.use_case, told))  # or as another began it, sooner


def _work(arguments: argparse.Namespace, folder: RunFolder, begun: BegunRun | None) -> _Work:
    from mlops_core.usecases import find

    use_case, known_as = find(arguments.use_case), arguments.use_case
    parameters = validated(parameters_of(use_case), _given(arguments))
    if begun is not None:
        parameters = agreed(folder, begun, use_case, known_as, parameters)
    delivery = delivery_of(use_case, known_as, parameters, begun)
    tasks = [_as_told(task, arguments) for task in tasks_named(delivery.dag, arguments.task)]
    return _Work(delivery, parameters, [(task, taken(delivery, folder, task)) for task in tasks])


def _given(arguments: argparse.Namespace) -> dict[str, Any]:
    """What the run is told: the later of `--parameters` over the earlier, options over all.

    Empty texts and nulls say nothing: a form that was left empty sends them.
    """
    fields = DeliveryParameters.model_fields
    options = {name: value for name, value in vars(arguments).items() if name in fields}
    given: dict[str, Any] = {}
    for told in (*map(_object, arguments.parameters), options):
        given |= {name: value for name, value in told.items() if value is not None and value != ""}
    return given


def _object(text: str) -> dict[str, Any]:
    try:
        told = json.loads(text or "{}")
    except ValueError as error:
        raise BadInput(f"--parameters: expected a JSON object, got {text!r}: {error}") from None
    if told is None or isinstance(told, dict):
        return told or {}
    raise BadInput(f"--parameters: expected a JSON object, got {text!r}")


def _as_told(task: Task, arguments: argparse.Namespace) -> Task:
    """The task as this process attempts it: whoever called makes the other attempts, unless it is told to."""
    if arguments.timeout is not None:
        task = replace(task, timeout_seconds=arguments.timeout)
    policy = replace(task.retry, attempts=1) if not arguments.retry else policy_told(arguments.retry)
    return replace(task, retry=policy)


def _failed(failed: list[tuple[Task, Exception]]) -> int:
    """The exit code where another attempt mends all; else the first error that none mends is raised."""
    final = [error for task, error in failed if not task.retry.retries(error)]
    for task, error in failed:
        if error not in final[:1]:
            warn(f"mlops: {task.name}: {error}")
    for error in final:
        raise error
    return EXIT_RETRY


def _concluded(work: _Work, folder: RunFolder, *, quiet: bool) -> int:
    """The run's last words and its exit code, once its last task has finished."""
    delivery = work.delivery
    if any(delivery.dag.descendants(task.name) for task, _ in work.tasks):
        return 0
    try:
        context = {task.name: folder.receipt(task.name) for task in delivery.dag}
    except Unavailable as error:
        return another(error)
    if None in context.values():  # somebody removed one that only tasks before the last take
        return 0
    if not quiet:
        warn(delivery.summary(context))
    turned_down = delivery.outcome(context).turned_down
    return EXIT_REJECTED if work.parameters.fail_on_rejection and turned_down else 0
