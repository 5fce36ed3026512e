"""The report on predicted numbers: stands alone, tells what is so, survives whatever numbers there are."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np
import pytest

from mlops_core.adapters.reporter.figures import figures
from mlops_core.adapters.reporter.html import render
from mlops_core.adapters.reporter.number_axis import NumberAxis
from mlops_core.adapters.reporter.numbers import Bins, Gains, always
from mlops_core.domain.receipts import Interval
from mlops_core.domain.report import ReportContent
from mlops_core.errors import BadInput, DataError
from tests.reporter.test_html_report import SVG, Page

if TYPE_CHECKING:
    from numpy.typing import NDArray

RANDOM = np.random.default_rng(4)
EXPECTED = np.exp(RANDOM.normal(1, 1.2, 400))
SPENT = np.where(RANDOM.random(400) < 0.3, EXPECTED * RANDOM.gamma(2, 1.5, 400), 0.0)


def content(
    labels: NDArray[np.float64] = SPENT, predicted: NDArray[np.float64] = EXPECTED, **changed: Any
) -> ReportContent:
    """What a report of two candidates holds."""
    fields: dict[str, Any] = {
        "title": "spend: chosen_one",
        "chosen": "chosen_one",
        "threshold": None,
        "labels": labels,
        "scores": {"chosen_one": predicted, "other": predicted * 0.5 + 1},
        "metrics": {
            "neg_root_mean_squared_error": Interval(value=-9.5, low=-11.25, high=-8),
            "r2": Interval(value=0.25, low=0.125, high=0.5),
        },
        "validation": {"chosen_one": {"r2": 0.5}, "other": {"neg_root_mean_squared_error": -7.5}},
        "importances": {"recency_days": (0.12, 0.01)},
        "importance_metric": "r2",
        "facts": [("Data", "1998-03-31")],
    }
    return ReportContent(**(fields | changed))


def text_of(page: str) -> str:
    """What a reader sees, the style sheet aside."""
    return " ".join(Page(re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)).text.split())


def test_a_page_of_numbers_speaks_of_no_classes() -> None:
    text = text_of(render(content()))
    assert not [word for word in ("positive", "threshold", "ROC", "recall", "probabilit") if word in text]
    assert "chosen_one reaches RMSE 9.500, with an interval from 8.000 to 11.250." in text
    assert "RMSE ↓ 9.500 8.000 to 11.250" in text
    assert "fall in R²" in text


def test_a_constant_stands_beside_every_metric() -> None:
    """R² is measured against the mean, so the mean has none; the median is best at the absolute error."""
    spread, shift = float(np.std(SPENT)), float(np.mean(SPENT) - np.median(SPENT))
    text = text_of(render(content()))
    assert f"8.000 to 11.250 {spread:.2f} {np.hypot(spread, shift):.2f}" in text
    assert f"0.1250 to 0.5000 0.0000 {-((shift / spread) ** 2):.4f}" in text
    mean, median = (always(SPENT, float(one)) for one in (np.mean(SPENT), np.median(SPENT)))
    assert median["neg_mean_absolute_error"] > mean["neg_mean_absolute_error"]


def test_figures_of_numbers_are_well_formed_and_described() -> None:
    page = render(content())
    drawings = SVG.findall(page)
    assert [one.title for one in figures(content())] == [
        "Predicted and actual",
        "Calibration",
        "Lift (cumulative gains)",
        "Errors",
        "Feature importance",
    ]
    for text in drawings:
        title = ElementTree.fromstring(text).find("title")  # noqa: S314 - our own text
        assert title is not None
        assert title.text
    ids = Counter(attributes["id"] for _, attributes in Page(page).tags if "id" in attributes)
    assert set(ids.values()) == {1}


@pytest.mark.parametrize(
    ("labels", "predicted"),
    [
        (np.zeros(50), np.zeros(50)),
        (np.zeros(50), np.linspace(0, 1, 50)),
        (np.linspace(280, 300, 50), np.linspace(281, 299, 50)),
        (np.linspace(-5, 5, 50) ** 3, np.linspace(-4, 6, 50)),
        (np.full(50, 1e9), np.full(50, 1e9 + 1)),
        (np.geomspace(1e-9, 1e12, 50), np.geomspace(1e-3, 1e9, 50)),
        (np.array([3.0]), np.array([2.0])),
    ],
    ids=["nothing", "nothing came", "far from zero", "negative", "one number", "long tails", "one row"],
)
def test_any_numbers_make_a_page(labels: NDArray[np.float64], predicted: NDArray[np.float64]) -> None:
    page = render(content(labels, predicted))
    assert not re.search(r"\b(nan|inf)\b", page)
    assert "-0.0," not in page


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(BadInput, match="'chosen_one' predicts 400 values for 400 rows, 1 of them not finite"):
        render(content(predicted=np.append(EXPECTED[:-1], np.nan)))
    with pytest.raises(DataError, match="1 have one that is not finite"):
        render(content(labels=np.append(SPENT[:-1], np.inf)))


def test_gains_are_those_of_sorting_by_hand() -> None:
    gains = Gains.of(np.array([0.0, 6.0, 3.0, 1.0]), np.array([1.0, 9.0, 5.0, 2.0]))
    assert gains is not None
    assert gains.held.tolist() == pytest.approx([0.0, 0.6, 0.9, 1.0, 1.0])
    assert gains.held_by(0.25) == pytest.approx(0.6)
    assert gains.gini == pytest.approx(0.5)


def test_equal_predictions_tell_no_rows_apart() -> None:
    """They are one step of the gains and lie in one bin, so the order of the rows does not matter."""
    gains = Gains.of(np.array([9.0, 0.0, 1.0, 0.0]), np.ones(4))
    assert gains is not None
    assert gains.gini == pytest.approx(0.0)
    assert Bins.of(np.arange(20.0), np.ones(20)).rows.tolist() == [20.0]


def test_there_is_no_share_of_a_sum_with_negative_parts() -> None:
    labels = SPENT - 1
    assert Gains.of(labels, EXPECTED) is None
    assert "Lift (cumulative gains)" not in [one.title for one in figures(content(labels))]


def test_bins_hold_every_row_and_its_number() -> None:
    bins = Bins.of(SPENT, EXPECTED)
    assert bins.rows.tolist() == [40.0] * 10
    assert float(np.sum(bins.rows * bins.actual)) == pytest.approx(float(SPENT.sum()))
    assert (np.diff(bins.predicted) > 0).all()


@pytest.mark.parametrize("reach", [(0.0, 900.0), (-40.0, 7000.0), (281.0, 299.5), (0.0, 3e7)])
def test_ticks_stand_apart_and_name_round_numbers(reach: tuple[float, float]) -> None:
    axis = NumberAxis.over("usd", np.array(reach), 5.0)
    ticks = sorted(axis.ticks())
    places = axis.at(np.array(ticks))
    assert len(ticks) >= 3
    assert (np.diff(places) > 0.1).all()
    assert (places >= 0).all()
    assert (places <= 1).all()
    assert float(axis.at(np.array(axis.value(0.3)))) == pytest.approx(0.3)
