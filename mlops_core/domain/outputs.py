"""What a model's answers are called outside, by what it predicts."""

from __future__ import annotations

from typing import Literal

from mlops_core.domain.metrics import Task, task_of

__all__ = ["OUTPUTS", "OutputName", "OutputType", "score_name"]

OutputName = Literal["probability", "label", "prediction"]
OutputType = Literal["FP64", "BOOL"]

OUTPUTS: dict[Task, dict[OutputName, OutputType]] = {
    "classification": {"probability": "FP64", "label": "BOOL"},
    "regression": {"prediction": "FP64"},
}
"""Names and types (of the Open Inference Protocol v2) of the values that a row is answered, in order."""


def score_name(threshold: float | None) -> OutputName:
    """The output that holds what the model itself gives, by its threshold: a probability, or a number."""
    return next(iter(OUTPUTS[task_of(threshold)]))
