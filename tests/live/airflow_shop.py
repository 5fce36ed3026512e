"""A use case that wants a person's consent: churn's definitions, one candidate, easy to pass.

`test_airflow.py` puts this file where `mlops` finds it.
"""

from __future__ import annotations

from datetime import timedelta

from mlops_core.domain.gates import Approval, NonInferiority
from mlops_core.usecases.churn import CHURN

__all__ = ["HELD"]

_POLICY = {"comparison": NonInferiority(margin=0.2), "approval": Approval(expires=timedelta(days=1))}
HELD = CHURN.model_copy(
    update={
        "name": "held",
        "candidates": CHURN.candidates[:1],
        "gate": CHURN.gate.model_copy(update=_POLICY),
    }
)
