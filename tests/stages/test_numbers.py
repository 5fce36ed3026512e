"""A label that is a number goes through the same stages, and definitions that mix the two tasks do not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from mlops_core.dag.failure import RunFailed
from mlops_core.domain.candidates import GradientBoosting, GradientBoostingRegression, Ridge
from mlops_core.domain.gates import GatePolicy
from mlops_core.domain.labels import SumWithin
from mlops_core.domain.time import days
from mlops_core.domain.usecase import UseCase

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.stages.shop import Shop

    Make = Callable[..., pa.Table]

POLICY = GatePolicy(
    metric="r2",
    floor=-5.0,
    scoring_rule=None,
    calibration=None,
    drift=None,
    minimum_rows=50,
    slice_margin=5.0,
)


@pytest.fixture
def spend(shop_use_case: UseCase) -> UseCase:
    """What the shop's customers spend in the next 60 days."""
    return spending(shop_use_case)


def spending(shop: UseCase, **changes: Any) -> UseCase:
    """The shop's definitions with a number for a label."""
    label = SumWithin(name="spent", source="purchases", column="usd", horizon=days(60))
    fields = {"label": label, "candidates": (Ridge(), GradientBoostingRegression()), "gate": POLICY}
    return UseCase(**(dict(shop) | fields | changes))


@pytest.fixture
def priced(make_purchases: Make) -> pa.Table:
    """Purchases with what they cost."""
    table = make_purchases()
    return table.append_column("usd", pa.array(np.random.default_rng(0).gamma(2.0, 10.0, table.num_rows)))


def test_a_number_is_delivered_by_the_same_stages(shop: Shop, spend: UseCase, priced: pa.Table) -> None:
    """Without positives or a threshold; measured as numbers are, labels summed from the events."""
    context = shop.run(priced, use_case=spend)
    rows, evaluation = context["training_set"], context["model_evaluation"]
    assert rows.evaluation.positives is None
    assert (evaluation.threshold, evaluation.positives) == (None, None)
    assert set(evaluation.metrics) == {"neg_root_mean_squared_error", "neg_mean_absolute_error", "r2"}
    table = pq.read_table(shop.engines.workspace.path(rows.ref.uri))
    assert table["spent"].type == pa.float64()
    moment, customer = table["event_timestamp"][0].as_py(), table["customer_id"][0].as_py()
    ahead = [
        row["usd"]
        for row in priced.to_pylist()
        if row["customer_id"] == customer and 0 < (row["bought_on"] - moment.date()).days <= 60
    ]
    assert table["spent"][0].as_py() == pytest.approx(sum(ahead))
    assert context["gate"].decision.verdict == "passed"
    assert context["deployment"].status == "deployed"
    version = shop.engines.registry.versions("shop")[0]
    assert version.threshold is None
    assert shop.engines.deployer.current("shop") is not None


def test_a_second_version_meets_the_first_on_the_same_rows(
    shop: Shop, shop_use_case: UseCase, priced: pa.Table
) -> None:
    """Errors are compared in pairs."""
    shop.run(priced, use_case=spending(shop_use_case))
    weaker = spending(shop_use_case, candidates=(Ridge(regularisation=500.0),))
    checks = {check.name: check for check in shop.run(priced, use_case=weaker)["gate"].decision.checks}
    assert checks["champion"].outcome != "not applicable"
    assert "version 1 in Production" in checks["champion"].sentence


def test_a_champion_of_the_other_task_is_not_dethroned_unseen(
    shop: Shop, shop_use_case: UseCase, priced: pa.Table
) -> None:
    """The gate says what stands in the way, and what served goes on."""
    shop.run(priced, use_case=shop_use_case)
    context = shop.run(priced, use_case=spending(shop_use_case))
    decision = context["gate"].decision
    assert decision.verdict == "rejected"
    check = next(one for one in decision.checks if one.name == "champion")
    assert "it is a model for classification, this one for regression" in check.sentence
    assert shop.stages() == {1: "Production", 2: "Staging"}


def test_labels_that_are_all_the_same_teach_nothing(shop: Shop, spend: UseCase, make_purchases: Make) -> None:
    """Such as a column that is not what was meant."""
    table = make_purchases()
    free = table.append_column("usd", pa.array(np.zeros(table.num_rows)))
    with pytest.raises(RunFailed, match=r"of the fit snapshots .* have spent = 0\.0: nothing can be learnt"):
        shop.run(free, use_case=spend)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"candidates": (GradientBoosting(),)},
            r"candidate 'boosting' \(GradientBoosting\) is for classification, but label 'spent' is a number",
        ),
        ({"gate": GatePolicy(metric="r2", floor=0)}, r"'brier' judges probabilities.* \(or None\), such as"),
        ({"gate": GatePolicy(floor=0.5, scoring_rule=None)}, "'roc_auc' judges probabilities"),
    ],
)
def test_definitions_that_mix_tasks_are_refused(
    shop_use_case: UseCase, changes: dict[str, Any], message: str
) -> None:
    """When they are written, with what would do."""
    with pytest.raises(ValidationError, match=message):
        spending(shop_use_case, **changes)


def test_a_classifier_takes_no_candidate_for_numbers(shop_use_case: UseCase) -> None:
    """The other way round."""
    fields = dict(shop_use_case) | {"candidates": (Ridge(),)}
    with pytest.raises(ValidationError, match="take LogisticRegression or GradientBoosting"):
        UseCase(**fields)


def test_a_summed_column_must_be_declared_as_numbers(shop_use_case: UseCase) -> None:
    """Where the source says what its columns are."""
    columns = {"customer_id": "integer", "bought_on": "date", "usd": "text"}
    source = shop_use_case.sources[0].model_copy(update={"columns": columns})
    with pytest.raises(
        ValidationError,
        match="label 'spent' needs 'usd' to be integer or number, source 'purchases' says text",
    ):
        spending(shop_use_case, sources=(source,))
