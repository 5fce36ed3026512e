"""`mlops task list` and `show`: the tasks of a use case, and how far a run of them is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_core.commands.output import moment, one_line, print_json, print_table, say
from mlops_core.commands.task_subject import add_run, add_use_case, begun_delivery, delivery_of, tasks_named
from mlops_core.errors import BadInput, MlopsError, NotFound

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from mlops_core.dag import PipelineDAG, RetryPolicy, Task
    from mlops_core.run_folder import RunFolder

__all__ = ["add"]


def add(deeds: Any, words: Sequence[str]) -> None:  # noqa: ARG001 - every command is added the same way
    """Add the two commands."""
    tasks = deeds.add_parser("list", help="the tasks in order, and how far a run is")
    add_use_case(tasks)
    add_run(tasks, required=False)
    tasks.add_argument("--json", action="store_true", help="print JSON")
    tasks.set_defaults(command=_list)
    show = deeds.add_parser("show", help="what a task of a run returned, as JSON, or why it failed")
    add_use_case(show)
    show.add_argument("task", metavar="TASK", help="such as gate or model_training.logistic")
    add_run(show)
    show.add_argument("--json", action="store_true", help="as it is anyway")
    show.set_defaults(command=_show)


def _list(arguments: argparse.Namespace) -> int:
    from mlops_core.exporters.document import document_of
    from mlops_core.run_folder import RunFolder

    folder = RunFolder(arguments.run) if arguments.run is not None else None
    dag = _dag(arguments.use_case, folder)
    states = _states(dag, folder) if folder is not None else {}
    if arguments.json:
        entries = document_of(dag, name=arguments.use_case).tasks
        print_json([one.model_dump(mode="json") | _facts(dag[one.name], states) for one in entries])
    else:
        rows = [_row(task, states) for task in dag]
        print_table(["task", *(["state"] if states else []), "attempts", "time-out", "waits for"], rows)
        for name, (state, why) in states.items():
            if why:
                say(f"{name} {state}: {one_line(why)}")
    return 0


def _show(arguments: argparse.Namespace) -> int:
    from mlops_core.run_folder import RunFolder

    folder = RunFolder(arguments.run)
    tasks = tasks_named(begun_delivery(arguments.use_case, folder).dag, arguments.task)
    if len(tasks) > 1:
        raise BadInput(f"{arguments.task} is several tasks: name one, such as {tasks[0].name}")
    (task,) = tasks
    kept, failure = folder.kept(task.name), folder.failure(task.name)
    if failure is not None:
        after = "; another attempt is worth it" if failure.retry else ""
        raise MlopsError(
            f"{task.name} failed at {moment(failure.at)} UTC: {failure.error}: {failure.message}{after}"
        )
    if kept is None:
        raise NotFound(f"{folder.name}: {task.name} has not finished there")
    print_json(kept.receipt)
    return 0


def _dag(known_as: str, folder: RunFolder | None) -> PipelineDAG:
    """The tasks of a run, or of the use case where no run is named or none has begun."""
    from mlops_core.parameters import parameters_of
    from mlops_core.usecases import find

    if folder is not None and folder.begun() is not None:
        return begun_delivery(known_as, folder).dag
    use_case = find(known_as)
    return delivery_of(use_case, known_as, parameters_of(use_case)()).dag


def _states(dag: PipelineDAG, folder: RunFolder) -> dict[str, tuple[str, str]]:
    """The state of each task and why: finished, failed, stale or missing, and next for what can begin."""
    from mlops_core.domain.digest import digest_of

    digests: dict[str, str] = {}
    found: dict[str, tuple[str, str]] = {}
    for task in dag:
        receipt, failure, kept = folder.receipt(task.name), folder.failure(task.name), folder.kept(task.name)
        if failure is not None:
            found[task.name] = ("failed", f"{failure.error}: {failure.message}")
        elif receipt is None or kept is None:
            found[task.name] = ("missing", "")
        else:
            digests[task.name] = digest_of(receipt)
            above = {name: found[name][0] for name in task.upstream}
            why = [f"{name} is {state}" for name, state in above.items() if state != "finished"]
            there = [name for name in above if name in digests]
            why += [f"{name} changed since" for name in there if kept.upstream.get(name) != digests[name]]
            found[task.name] = ("stale" if why else "finished", ", ".join(why))
    return found


def _next(task: Task, states: dict[str, tuple[str, str]]) -> bool:
    """Whether it is to be run, and can be."""
    return states[task.name][0] != "finished" and all(states[one][0] == "finished" for one in task.upstream)


def _facts(task: Task, states: dict[str, tuple[str, str]]) -> dict[str, Any]:
    if not states:
        return {}
    state, why = states[task.name]
    return {"state": state, "why": why or None, "next": _next(task, states)}


def _row(task: Task, states: dict[str, tuple[str, str]]) -> list[str]:
    state = [states[task.name][0] + (", next" if _next(task, states) else "")] if states else []
    limit = "-" if task.timeout_seconds is None else f"{task.timeout_seconds:g} s"
    return [task.name, *state, _attempts(task.retry), limit, ", ".join(task.upstream) or "-"]


def _attempts(policy: RetryPolicy) -> str:
    """How many, and the waits between them."""
    waits = [f"{delay:g}" for delay in policy.delays()]
    shown = [*waits[:3], "…"] if len(waits) > 3 else waits
    return f"{policy.attempts}, after {', '.join(shown)} s" if shown else "1"
