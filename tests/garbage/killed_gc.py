"""Run by `test_killed_gc.py`: `python killed_gc.py HOME N` removes the garbage in HOME until it is killed.

That is right before its Nth step on the disk: a rename, a removal of a file or of a folder. Registry and
ledger are empty ones in memory; what the home holds was never registered.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from mlops_core.adapters.deployer.local import LocalDeployer
from mlops_core.retention import Retention
from mlops_core.workspace import Workspace
from tests.stages.shop import MemoryEngines

STEPS = {"os.rename", "os.remove", "os.rmdir"}


def retention_of(home: Path) -> Retention:
    """What is kept in a home, and what may go."""
    engines = MemoryEngines(Workspace(home))
    releases = LocalDeployer(home=home, trainer=engines.trainer)
    engines.deployer = releases
    return Retention(engines=engines, releases=releases)


def arm(number: int) -> None:
    """End this process, as a power cut would, before that step."""
    left = [number]

    def watch(event: str, _: tuple[Any, ...]) -> None:
        if event in STEPS:
            left[0] -= 1
            if not left[0]:
                os._exit(9)

    sys.addaudithook(watch)


if __name__ == "__main__":
    where = Path(sys.argv[1])
    found = retention_of(where).garbage()
    arm(int(sys.argv[2]))
    for one in found:
        one.remove()
