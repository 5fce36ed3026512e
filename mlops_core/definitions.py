"""What a use case is written with; `mlops_core/usecases/churn.py` is an example of one screen."""

from mlops_core.domain.candidates import GradientBoosting, LogisticRegression
from mlops_core.domain.features import (
    Count,
    CountDistinct,
    FeatureView,
    Max,
    Mean,
    Min,
    Since,
    Span,
    Sum,
)
from mlops_core.domain.gates import GatePolicy
from mlops_core.domain.labels import EveryMonth, NoEventWithin
from mlops_core.domain.sources import Entity, EventSource
from mlops_core.domain.time import days
from mlops_core.domain.usecase import UseCase

__all__ = [
    "Count",
    "CountDistinct",
    "Entity",
    "EventSource",
    "EveryMonth",
    "FeatureView",
    "GatePolicy",
    "GradientBoosting",
    "LogisticRegression",
    "Max",
    "Mean",
    "Min",
    "NoEventWithin",
    "Since",
    "Span",
    "Sum",
    "UseCase",
    "days",
]
