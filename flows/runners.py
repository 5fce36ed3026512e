"""Where the tasks of a flow run: threads of its process, Dask or Ray. Each is imported when it is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prefect.task_runners import ThreadPoolTaskRunner

from mlops_core.errors import BadInput

if TYPE_CHECKING:
    from prefect.task_runners import TaskRunner

    from flows.parameters import RunnerParameters
    from mlops_core.settings import Settings

__all__ = ["runner_of"]


def runner_of(given: RunnerParameters, settings: Settings) -> TaskRunner[Any]:
    """The task runner that a run asks for, at the address that the machine's settings name.

    Raises `BadInput` when its package is not installed.
    """
    runner: TaskRunner[Any]
    try:
        match given.task_runner:
            case "threads":
                runner = ThreadPoolTaskRunner(max_workers=given.workers)
            case "dask":
                runner = _dask(given.workers, settings.dask_address)
            case "ray":
                runner = _ray(given.workers, settings.ray_address)
    except ImportError as error:
        raise BadInput(
            f"--task-runner {given.task_runner}: {error.name} is not installed: "
            f"pip install 'mlops-core[{given.task_runner}]'"
        ) from error
    return runner


# Any, twice: these packages say too little of their types
def _dask(workers: int, address: str | None) -> Any:
    from prefect_dask import DaskTaskRunner

    if address:
        return DaskTaskRunner(address=address)
    # One thread each: stages use the cores themselves, and NumPy's threads are limited for a whole process.
    return DaskTaskRunner(cluster_kwargs={"n_workers": workers, "threads_per_worker": 1})


def _ray(workers: int, address: str | None) -> Any:
    from prefect_ray import RayTaskRunner

    if address:
        return RayTaskRunner(address=address)
    return RayTaskRunner(init_kwargs={"num_cpus": workers, "include_dashboard": False})
