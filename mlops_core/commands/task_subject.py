"""What a command on a task is about: which run, which task, and what the run was told."""

from __future__ import annotations

import shlex
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from mlops_core.errors import BadInput, NotFound

if TYPE_CHECKING:
    import argparse

    from mlops_core.dag import PipelineDAG, Task
    from mlops_core.delivery import Delivery
    from mlops_core.domain.run import BegunRun
    from mlops_core.domain.usecase import UseCase
    from mlops_core.parameters import DeliveryParameters
    from mlops_core.run_folder import RunFolder

__all__ = ["add_run", "add_use_case", "agreed", "begun_delivery", "delivery_of", "tasks_named"]


def add_use_case(parser: argparse.ArgumentParser) -> None:
    """Add the use case."""
    parser.add_argument("use_case", metavar="USE_CASE", help="such as churn, or module:ATTRIBUTE")


def add_run(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Add the run's folder."""
    parser.add_argument("--run", required=required, metavar="DIR", help="the run's folder, or its URL")


def begun_delivery(known_as: str, folder: RunFolder) -> Delivery:
    """The delivery that was begun in a folder. Raises `NotFound` when none was."""
    from mlops_core.parameters import parameters_of
    from mlops_core.usecases import find

    use_case, begun = find(known_as), folder.begun()
    if begun is None:
        raise NotFound(
            f"{folder.name}: no run has begun there: its first task, see `mlops task list {known_as}`, does"
        )
    told = parameters_of(use_case)()
    return delivery_of(use_case, known_as, agreed(folder, begun, use_case, known_as, told), begun)


def delivery_of(
    use_case: UseCase, known_as: str, parameters: DeliveryParameters, begun: BegunRun | None = None
) -> Delivery:
    """A use case with a run's parameters on this machine's settings."""
    from mlops_core.delivery import Delivery
    from mlops_core.settings import Settings

    started = begun.begun_at if begun is not None else None
    return Delivery(use_case, parameters, Settings.load(), known_as=known_as, started=started)


def agreed(
    folder: RunFolder, begun: BegunRun, use_case: UseCase, known_as: str, told: DeliveryParameters
) -> DeliveryParameters:
    """The parameters of a run as it began; what is told besides has to be the same.

    Raises `BadInput` when it is not, or when the run is another use case's.
    """
    from mlops_core.parameters import parameters_of
    from mlops_core.validation import validated

    if begun.use_case != known_as:
        raise BadInput(f"{folder.name}: it is a run of {begun.use_case}, not of {known_as}")
    parameters = validated(parameters_of(use_case), begun.parameters)
    for name in sorted(told.model_fields_set):
        was, now = getattr(parameters, name), getattr(told, name)
        if _plain(was) != _plain(now):
            raise BadInput(
                f"{folder.name}: it began {_option(name, was)}, not {_option(name, now)}: a run keeps its "
                "parameters; begin another in a folder of its own"
            )
    return parameters


def tasks_named(dag: PipelineDAG, name: str) -> list[Task]:
    """The task of this name, or those of a stage that has one for each candidate. Raises `NotFound`."""
    if name in dag:
        return [dag[name]]
    found = [task for task in dag if task.name.startswith(f"{name}.")]
    if found:
        return found
    names = [task.name for task in dag]
    close = get_close_matches(name, [*names, *{one.partition(".")[0] for one in names}], n=1)
    raise NotFound(
        f"no task {name!r}: " + (f"did you mean {close[0]!r}?" if close else f"there are {', '.join(names)}")
    )


def _plain(value: Any) -> Any:
    """Several values are a choice: their order says nothing."""
    return set(value) if isinstance(value, tuple) else value


def _option(name: str, value: Any) -> str:
    """A parameter as the command line tells it."""
    flag = name.replace("_", "-")
    if value is None:
        return f"without --{flag}"
    if isinstance(value, bool):
        return f"with --{flag}" if value else f"with --no-{flag}"
    words = value if isinstance(value, tuple) else (value,)
    return f"with --{flag} {shlex.join(map(str, words))}"
