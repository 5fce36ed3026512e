"""Run by `test_task_processes.py`: `python disturbed_task.py HOW words…` is `mlops words…`, disturbed.

HOW is the name of a stage that is killed when its files are written but not yet in place, or "stuck": the
feature store then works on for ever, in a thread of a pool that Python waits for at its end.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from mlops_core import pipeline
from mlops_core.cli import main
from mlops_core.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlops_core.domain.inputs import Inputs

FOR_EVER = 3_600.0


def kill(stage: str) -> None:
    """Have the process die in this stage."""
    produce: Callable[..., Any] = Workspace.produce

    def armed(space: Workspace, inputs: Inputs, receipt: Any, make: Callable[[Path], Any]) -> Any:
        def then_killed(draft: Path) -> None:
            make(draft)
            os.kill(os.getpid(), signal.SIGKILL)

        return produce(space, inputs, receipt, then_killed if inputs.stage == stage else make)

    Workspace.produce = armed  # type: ignore[method-assign, assignment]  # what this script is for


def stuck(*_: object, **__: object) -> None:
    """Never return."""
    with ThreadPoolExecutor() as pool:
        pool.submit(time.sleep, FOR_EVER)


if __name__ == "__main__":
    how = sys.argv.pop(1)
    if how == "stuck":
        pipeline.feature_store = stuck  # type: ignore[assignment, attr-defined]  # the same
    else:
        kill(how)
    sys.exit(main())
