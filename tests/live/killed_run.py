"""Run by `test_killed.py`: `python killed_run.py POINT RUNNER …` is a delivery of churn, killed at a point.

RUNNER is `flow` for `python flows/churn.py …`, `mlops` for `mlops run churn …`.

POINT is a stage that stores its output, which is then killed when its files are written but not yet in place;
or one of `POINTS`, which is killed right after the call named there, or before it where the point says so.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from mlops_core.cli import main
from mlops_core.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_core.domain.inputs import Inputs

POINTS = {
    "history": ("mlops_core.history", "sync"),  # the events lie there, but no version names them yet
    "model_registry": ("mlops_core.adapters.registry.mlflow_run", "write_package"),  # no version yet
    "ledger.before": ("mlops_core.adapters.ledger.sqlite", "SQLiteLedger.append"),  # in MLflow alone
    "ledger.after": ("mlops_core.adapters.ledger.sqlite", "SQLiteLedger.append"),  # and now in the ledger
    "promoted": ("mlops_core.promotion.promote", "promote"),  # in Production, and not yet served
    "deployment.prepared": ("mlops_core.adapters.deployer.local", "LocalDeployer.prepare"),
    "deployment.activated": ("mlops_core.adapters.deployer.local", "LocalDeployer.activate"),
}


def die(*_: object, **__: object) -> NoReturn:
    """End this process as a power cut would: nothing is cleaned up, no handler runs."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def then_die(function: Callable[..., Any]) -> Callable[..., NoReturn]:
    """The same function, as the last thing that this process does."""

    def called(*arguments: Any, **named: Any) -> NoReturn:
        function(*arguments, **named)
        die()

    return called


def arm(point: str) -> None:
    """Make this process die at the point."""
    if point in POINTS:
        module, name = POINTS[point]
        holder: Any = import_module(module)
        *outer, last = name.split(".")
        for part in outer:
            holder = getattr(holder, part)
        setattr(holder, last, die if point.endswith(".before") else then_die(getattr(holder, last)))
        return
    produce: Callable[..., Any] = Workspace.produce

    def armed(space: Workspace, inputs: Inputs, receipt: Any, make: Callable[[Path], Any]) -> Any:
        return produce(space, inputs, receipt, then_die(make) if inputs.stage == point else make)

    Workspace.produce = armed  # type: ignore[method-assign, assignment]  # what this script is for


if __name__ == "__main__":
    arm(sys.argv.pop(1))
    if sys.argv.pop(1) == "mlops":
        sys.exit(main(["run", "churn", *sys.argv[1:]]))
    script = Path(__file__).parents[2] / "flows" / "churn.py"
    runpy.run_path(str(script), run_name="__main__")
