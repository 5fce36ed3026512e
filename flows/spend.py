"""Deliver the spend model with Prefect: `python flows/spend.py --help`."""

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

from flows.delivery import deliver
from flows.options import OPTIONS
from flows.parameters import typed_by, with_runner
from mlops_core.parameters import parameters_of
from mlops_core.usecases.spend import SPEND

SpendParameters = with_runner(parameters_of(SPEND))


@flow(name="spend", **OPTIONS)
@typed_by(SpendParameters)
def spend(given: Any) -> Any:
    """Features, candidates, evaluation, registry, gate and release of the spend model."""
    return deliver(SPEND, given)


if __name__ == "__main__":
    from flows.shell import run_from_shell

    sys.exit(run_from_shell(spend, SpendParameters))
