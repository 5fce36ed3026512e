"""Churn as a person has to consent to it, and its flow: `python -m tests.live.parity_held`."""

from __future__ import annotations

import sys
from typing import Any

from mlops_core.domain.gates import Approval
from mlops_core.usecases.churn import CHURN

HELD = CHURN.model_copy(update={"gate": CHURN.gate.model_copy(update={"approval": Approval()})})


def main() -> int:
    """Run its flow as flows/churn.py runs that of churn."""
    from flows import server

    server.start()
    from prefect import flow

    from flows.delivery import deliver
    from flows.options import OPTIONS
    from flows.parameters import typed_by, with_runner
    from flows.shell import run_from_shell
    from mlops_core.parameters import parameters_of

    model = with_runner(parameters_of(HELD))

    @flow(name="churn", **OPTIONS)
    @typed_by(model)
    def churn(given: Any) -> Any:
        """The churn model, once a person consents."""
        return deliver(HELD, given, known_as="tests.live.parity_held:HELD")

    return run_from_shell(churn, model)


if __name__ == "__main__":
    sys.exit(main())
