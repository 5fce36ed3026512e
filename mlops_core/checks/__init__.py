"""The questions of the gate, on arrays: one module a kind of question, each returns `Check`s."""

from mlops_core.checks.judge import judge
from mlops_core.checks.judged import Champion, Judged, Predictions

__all__ = ["Champion", "Judged", "Predictions", "judge"]
