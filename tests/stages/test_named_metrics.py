"""A policy that names metrics of scikit-learn: candidates are chosen by them, and the gate judges by them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlops_core.domain.gates import GatePolicy

if TYPE_CHECKING:
    from mlops_core.domain.usecase import UseCase
    from tests.stages.shop import Shop


@pytest.mark.live
def test_a_model_is_delivered_by_metrics_of_scikit_learn(shop: Shop, shop_use_case: UseCase) -> None:
    """Validation, evaluation, floor and further bounds go by their names."""
    policy = GatePolicy(
        metric="balanced_accuracy",
        floor=0.5,
        floors={"f1": 0.1},
        scoring_rule="log_loss",
        calibration=None,
        minimum_rows=50,
        minimum_per_class=5,
    )
    context = shop.run(use_case=shop_use_case.model_copy(update={"gate": policy}))
    evaluation = context["model_evaluation"]
    assert {"balanced_accuracy", "f1"} <= evaluation.metrics.keys()
    assert all("balanced_accuracy" in figures for figures in evaluation.validation.values())
    assert context["gate"].decision.verdict == "passed"
    assert shop.stages() == {1: "Production"}
