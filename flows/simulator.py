"""The stage stubs as a flow, to see Prefect run the DAG without any engine: `python flows/simulator.py`."""

from __future__ import annotations

import sys
from typing import Any

if __name__ == "__main__":  # a run by hand chooses its server before Prefect reads its settings
    try:
        from flows import server
    except ImportError as error:
        sys.exit(
            f"{sys.argv[0]}: {error}: the project is not installed for {sys.executable}: pip install -e ."
        )
    server.start()

from prefect import flow
from pydantic import BaseModel, Field

from flows.options import OPTIONS
from flows.parameters import typed_by, with_runner
from flows.runners import runner_of
from flows.tasks import run_on_prefect
from mlops_core.settings import Settings
from mlops_core.simulator import build_mlops_pipeline


class SimulatedStore(BaseModel):
    """What the simulated feature store is filled with."""

    entities: int = Field(default=5, ge=1, le=10_000, description="Rows in the simulated feature store.")
    level: float = Field(
        default=0.55, allow_inf_nan=False, description="Feature value of every row: decides the accuracy."
    )


SimulatorParameters = with_runner(SimulatedStore)


@flow(name="simulator", **OPTIONS)
@typed_by(SimulatorParameters)
def simulator(given: Any) -> dict[str, Any]:
    """Feature store, training, registry and deployment as deterministic stubs."""
    rows = [{"entity_id": number, "feature_value": given.level} for number in range(given.entities)]
    context = run_on_prefect(build_mlops_pipeline(rows), runner=runner_of(given, Settings.load()))
    deployment: dict[str, Any] = context["deployment"]
    return deployment


if __name__ == "__main__":
    from flows.shell import run_from_shell

    sys.exit(run_from_shell(simulator, SimulatorParameters))
