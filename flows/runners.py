"""Where the tasks of a flow run: threads of its process, Dask or Ray. Each is imported when it is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prefect.task_runners import ThreadPoolTaskRunner

from mlops_core.errors import BadInput

if TYPE_CHECKING:
    from prefect.task_runners import TaskRunner

    from flows.parameters import RunnerParameters
    from mlops_core.settings import Settings

__all__ = ["Threads", "runner_of"]


class Threads(ThreadPoolTaskRunner[Any]):
    """Threads of this process, of which others can see how many there are."""

    def __init__(self, max_workers: int) -> None:
        super().__init__(max_workers=max_workers)
        self.at_once = max_workers


def runner_of(given: RunnerParameters, settings: Settings) -> TaskRunner[Any]:
    """The task runner that a run asks for, at the address that the machine's settings name.

    Nothing is started or reached before it is entered; what is raised then, their modules say. Raises
    `BadInput` when its package is not installed.
    """
    runner: TaskRunner[Any]
    try:
        match given.task_runner:
            case "threads":
                runner = Threads(max_workers=given.workers)
            case "dask":
                from flows.dask_runner import dask_runner

                runner = dask_runner(given.workers, settings.dask_address, settings.home)
            case "ray":
                from flows.ray_runner import ray_runner

                runner = ray_runner(given.workers, settings.ray_address, settings.home)
    except ImportError as error:
        raise BadInput(
            f"--task-runner {given.task_runner}: {error.name} is not installed: "
            f"pip install 'mlops-core[{given.task_runner}]'"
        ) from error
    return runner
