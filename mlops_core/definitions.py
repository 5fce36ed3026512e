"""What a use case is written with; `mlops_core/usecases/churn.py` is an example of one screen."""

from mlops_core.domain.candidates import (
    GradientBoosting,
    GradientBoostingRegression,
    LogisticRegression,
    PoissonRegression,
    Ridge,
)
from mlops_core.domain.conditions import Where
from mlops_core.domain.features import (
    Count,
    CountDistinct,
    First,
    Last,
    Latest,
    Max,
    Mean,
    Min,
    Since,
    Span,
    StdDev,
    Sum,
)
from mlops_core.domain.gates import Approval, GatePolicy, NonInferiority, Slice, Superiority
from mlops_core.domain.labels import EveryMonth, NoEventWithin, SumWithin
from mlops_core.domain.rules import Fresh, InRange, Matches, NotNull, OneOf, Unique, Volume
from mlops_core.domain.segments import segment
from mlops_core.domain.sources import Entity, EventSource, Query
from mlops_core.domain.time import days
from mlops_core.domain.usecase import UseCase
from mlops_core.domain.views import FeatureService, FeatureView, OnDemand

__all__ = [
    "Approval",
    "Count",
    "CountDistinct",
    "Entity",
    "EventSource",
    "EveryMonth",
    "FeatureService",
    "FeatureView",
    "First",
    "Fresh",
    "GatePolicy",
    "GradientBoosting",
    "GradientBoostingRegression",
    "InRange",
    "Last",
    "Latest",
    "LogisticRegression",
    "Matches",
    "Max",
    "Mean",
    "Min",
    "NoEventWithin",
    "NonInferiority",
    "NotNull",
    "OnDemand",
    "OneOf",
    "PoissonRegression",
    "Query",
    "Ridge",
    "Since",
    "Slice",
    "Span",
    "StdDev",
    "Sum",
    "SumWithin",
    "Superiority",
    "Unique",
    "UseCase",
    "Volume",
    "Where",
    "days",
    "segment",
]
