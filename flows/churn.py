"""Deliver the churn model with Prefect: `python flows/churn.py --help`."""

from __future__ import annotations

import sys
from typing import Any

if __name__ == "__main__":  # a run by hand chooses its server before Prefect reads its settings
    from flows import server

    server.start()

from prefect import flow
from prefect.task_runners import ThreadPoolTaskRunner

from flows.delivery import deliver
from flows.parameters import typed_by
from mlops_core.parameters import parameters_of
from mlops_core.pipeline import WORKERS
from mlops_core.usecases.churn import CHURN

ChurnParameters = parameters_of(CHURN)


RUNNER: Any = ThreadPoolTaskRunner(max_workers=WORKERS)  # Any: Prefect types it by what tasks return


@flow(name="churn", task_runner=RUNNER)
@typed_by(ChurnParameters)
def churn(**parameters: Any) -> Any:
    """Features, candidates, evaluation, registry, gate and release of the churn model."""
    return deliver(CHURN, ChurnParameters, parameters)


if __name__ == "__main__":
    from flows.shell import run_from_shell

    sys.exit(run_from_shell(churn, ChurnParameters))
