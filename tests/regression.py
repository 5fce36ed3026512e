"""A small use case that predicts a number: what customers of the small shop spend in the next 45 days."""

from __future__ import annotations

from mlops_core.definitions import GatePolicy, Ridge, SumWithin, UseCase, days
from tests.reproduction.shop import shop

__all__ = ["spending"]


def spending() -> UseCase:
    """Its definitions, for the orders of `tests.reproduction.shop`, which real engines deliver at once."""
    policy = GatePolicy(
        metric="neg_root_mean_squared_error",
        floor=-200,
        scoring_rule="neg_mean_absolute_error",
        floors={"r2": 0.0},
        minimum_rows=50,
        drift=None,
        calibration=None,
    )
    changed = {
        "label": SumWithin(name="spent", source="orders", column="usd", horizon=days(45)),
        "candidates": (Ridge(interactions=False), Ridge(name="stiff", regularisation=1e5)),
        "gate": policy,
    }
    return UseCase(**(dict(shop()) | changed))
