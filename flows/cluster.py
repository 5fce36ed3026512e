"""What a cluster's workers have to have in common with the run that uses them, asked before it begins.

Without the question a worker that sees another disk would fill a state folder of its own, and one without
this code would fail each task with an error of the cluster's.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

from prefect.settings import PREFECT_LOGGING_EXTRA_LOGGERS

from mlops_core.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["ANSWER_SECONDS", "sees", "stages_speak", "threads_each", "workers_checked"]

ANSWER_SECONDS = 15
"""How long a cluster may take to answer, or to have a worker."""
_LIBRARY_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def threads_each(workers: int) -> dict[str, str]:
    """Environment of one of so many workers on this machine, so that NumPy's threads are its cores."""
    return dict.fromkeys(_LIBRARY_THREADS, str(max(1, (os.cpu_count() or 1) // workers)))


def stages_speak() -> None:
    """Have what stages say in the run's log where the run wants it, in a worker's process too.

    That was not told of it when Prefect was imported there, and Prefect looks at no other time.
    """
    ours = logging.getLogger("mlops_core")
    ours.setLevel(logging.INFO)
    if not ours.handlers and ours.name in PREFECT_LOGGING_EXTRA_LOGGERS.value():
        for handler in logging.getLogger("prefect.extra").handlers:
            ours.addHandler(handler)


def sees(file: str) -> bool:
    """Whether this machine has the file. A worker is asked."""
    return Path(file).is_file()


def workers_checked(
    cluster: str, home: Path, ask: Callable[[str], Mapping[str, bool | BaseException]]
) -> None:
    """Make sure that all workers know this code and see this state folder, under the same path.

    `ask` calls `sees` on each worker. Raises `BadInput` that names the first which does not, and why.
    """
    home = home.absolute()
    home.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(prefix=".workers-", dir=home) as probe:
        answers = ask(probe.name)
    for worker, answer in answers.items():
        if isinstance(answer, BaseException):
            raise BadInput(
                f"{cluster}: worker {worker} cannot run this code ({type(answer).__name__}: {answer}): "
                "start it in the same environment, where `import flows, mlops_core` works"
            ) from answer
        if not answer:
            raise BadInput(
                f"{cluster}: worker {worker} does not see the state folder {home}: put it on a disk that all "
                "workers have under the same path, and name it with MLOPS_HOME"
            )
