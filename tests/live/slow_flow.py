"""Run by `test_quiet.py`: a flow by hand whose one task takes some seconds."""

from __future__ import annotations

import sys
import time
from typing import Any

from flows import server

if __name__ == "__main__":  # before Prefect reads its settings
    server.start()

from prefect import flow
from pydantic import BaseModel

from flows.options import OPTIONS
from flows.parameters import typed_by
from flows.shell import run_from_shell
from flows.tasks import run_on_prefect
from mlops_core.dag import PipelineDAG, Task


class Nothing(BaseModel):
    """No parameters."""


def wait(_context: Any) -> None:
    """Say so and wait: nothing interrupts a thread."""
    sys.stdout.write("waiting\n")
    sys.stdout.flush()
    time.sleep(3)


@flow(name="slow", **OPTIONS)
@typed_by(Nothing)
def slow(_given: Nothing) -> None:
    """One long task."""
    run_on_prefect(PipelineDAG(tasks=[Task("wait", wait)]))


if __name__ == "__main__":
    sys.exit(run_from_shell(slow, Nothing))
