"""The churn flow, which stands still in a stage until it may go on: `test_lost_runs.py` deploys it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prefect import flow

from flows.churn import ChurnParameters
from flows.delivery import deliver
from flows.options import OPTIONS
from flows.parameters import typed_by
from mlops_core.usecases.churn import CHURN
from mlops_core.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_core.domain.inputs import Inputs

STAGE = "training_set"
GO = Path("go")
produce: Callable[..., Any] = Workspace.produce


def held(space: Workspace, inputs: Inputs, receipt: Any, make: Callable[[Path], Any]) -> Any:
    """The same, but this stage waits before it writes anything."""

    def making(folder: Path) -> Any:
        while inputs.stage == STAGE and not GO.exists():
            time.sleep(0.1)
        return make(folder)

    return produce(space, inputs, receipt, making)


Workspace.produce = held  # type: ignore[method-assign, assignment]  # what this file is for


@flow(name="churn", **OPTIONS)
@typed_by(ChurnParameters)
def churn(given: Any) -> Any:
    """The churn model, slowly."""
    return deliver(CHURN, given)
