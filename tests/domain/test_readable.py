"""People read losses of numbers without the sign that scorers give them, everywhere the same."""

from __future__ import annotations

import pytest

from mlops_core.domain.metrics import OWN_METRICS, SCIKIT_LEARN, greater_is_better
from mlops_core.domain.readable import (
    column_of,
    figure_text,
    figure_with_interval,
    gain_text,
    higher_is_better,
    number_text,
    title_of,
)
from mlops_core.domain.receipts import Interval

OF_NUMBERS = [name for name, given in SCIKIT_LEARN.items() if given == "numbers"]
RMSE = "neg_root_mean_squared_error"


@pytest.mark.parametrize("metric", OF_NUMBERS)
def test_metrics_of_numbers_have_a_title_and_no_sign(metric: str) -> None:
    assert "neg" not in title_of(metric)
    assert column_of(metric) == title_of(metric)
    assert higher_is_better(metric) != metric.startswith("neg_")
    assert figure_text(metric, -0.5).startswith("0.5" if metric.startswith("neg_") else "-0.5")


@pytest.mark.parametrize("metric", [*OWN_METRICS, "neg_brier_score", "f1"])
def test_metrics_of_probabilities_are_shown_as_they_are(metric: str) -> None:
    assert column_of(metric) == metric
    assert figure_text(metric, -0.25) == "-0.2500"
    assert higher_is_better(metric) == greater_is_better(metric)


def test_an_interval_begins_with_its_lower_end_as_it_is_shown() -> None:
    rmse = Interval(value=-55.1234, low=-60, high=-51)
    assert figure_with_interval(RMSE, rmse) == "55.12 (51.00 to 60.00)"
    assert figure_with_interval("r2", Interval(value=0.2, low=0.1, high=0.3)) == "0.2000 (0.1000 to 0.3000)"


def test_a_gain_keeps_its_sign() -> None:
    """It is for the better whatever the metric."""
    assert (gain_text(RMSE, 1.5), gain_text(RMSE, -1.5), gain_text("r2", 0.01)) == (
        "+1.500",
        "-1.500",
        "+0.0100",
    )


def test_numbers_have_four_digits_and_all_before_the_point() -> None:
    values = [0.0, 0.00123, 5.0, 55.5, 1234567.8, -12.0]
    assert [number_text(one) for one in values] == ["0", "0.001230", "5.000", "55.50", "1,234,568", "-12.00"]
    assert number_text(5.0, like=1000.0) == "5"


def test_a_figure_of_nothing_has_no_sign() -> None:
    assert figure_text(RMSE, 0.0) == "0"
