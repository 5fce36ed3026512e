"""Churn with a policy that asks a person: `test_prefect_export.py` exports it as asking_churn:CHURN."""

from __future__ import annotations

from datetime import timedelta

from mlops_core.domain.gates import Approval
from mlops_core.usecases.churn import CHURN as PLAIN

_GATE = PLAIN.gate.model_copy(update={"approval": Approval(expires=timedelta(days=3))})
CHURN = PLAIN.model_copy(update={"gate": _GATE})
