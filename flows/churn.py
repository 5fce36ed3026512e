"""Deliver the churn model with Prefect: `python flows/churn.py --help`."""

from __future__ import annotations

import sys
from typing import Any

if __name__ == "__main__":  # a run by hand chooses its server before Prefect reads its settings
    try:
        from flows import server
    except ImportError as error:  # in words that Python 3.10 can say as well
        sys.exit(
            f"{sys.argv[0]}: {error}: the project is not installed for {sys.executable}, which is Python "
            f"{sys.version.split()[0]}. With 3.11 or newer, in the project's folder: pip install -e ."
        )
    server.start()

from prefect import flow

from flows.delivery import deliver
from flows.options import OPTIONS
from flows.parameters import typed_by, with_runner
from mlops_core.parameters import parameters_of
from mlops_core.usecases.churn import CHURN

ChurnParameters = with_runner(parameters_of(CHURN))


@flow(name="churn", **OPTIONS)
@typed_by(ChurnParameters)
def churn(given: Any) -> Any:
    """Features, candidates, evaluation, registry, gate and release of the churn model."""
    return deliver(CHURN, given)


if __name__ == "__main__":
    from flows.shell import run_from_shell

    sys.exit(run_from_shell(churn, ChurnParameters))
