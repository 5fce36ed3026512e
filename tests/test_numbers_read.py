"""What a person reads of a model of numbers: at the terminal, in Prefect's UI, in the pack, made again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flows.account import metric_rows
from mlops_core.adapters.reporter.evidence import render_evidence
from mlops_core.commands.compare_page import to_markdown
from mlops_core.comparison import Comparison
from mlops_core.domain.figures import Figures
from mlops_core.evidence import evidence_of
from mlops_core.pipeline import build_pipeline
from mlops_core.promotion import standing_of
from mlops_core.reproduction import reproduce, told
from mlops_core.summary import outcome_of, summarise
from tests.regression import spending
from tests.reporter.test_html_report import Page
from tests.reproduction.shop import START, Store, orders

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_core.domain.registry import ModelVersion


class Delivered:
    """The small shop's model of what customers spend, delivered once, and the receipts of that run."""

    def __init__(self, home: Path) -> None:
        self.store = Store(home, spending())
        self.engines = self.store.engines
        dag = build_pipeline(spending(), self.engines, data={"orders": orders()}, as_of=None)
        self.receipts: Mapping[str, Any] = dag.execute()
        self.version: ModelVersion = self.store.versions[0]


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Delivered:
    """Everything here reads it, and nothing changes it."""
    return Delivered(tmp_path_factory.mktemp("shop"))


def test_the_summary_has_no_negative_errors(delivered: Delivered) -> None:
    outcome = outcome_of(delivered.receipts, START)
    text = summarise(delivered.receipts, outcome, Path(".mlops"))
    lines = [line for line in text.splitlines() if " RMSE " in line]
    assert len(lines) == 2
    assert "chosen" in lines[0]
    assert not [line for line in lines if "-" in line]
    assert outcome.metrics["neg_root_mean_squared_error"] < 0  # programs have scikit-learn's


def test_tables_in_a_browser_call_metrics_by_their_titles(delivered: Delivered) -> None:
    evaluation, decision = delivered.receipts["model_evaluation"], delivered.receipts["gate"].decision
    rows = {row["metric"]: row for row in metric_rows(evaluation, decision)}
    assert {"RMSE", "MAE", "R²"} <= rows.keys()
    low, high = (float(end) for end in rows["RMSE"]["interval"].split(" to "))
    assert 0 < low <= float(rows["RMSE"]["value"]) <= high


def test_a_comparison_shows_what_the_summary_shows(delivered: Delivered) -> None:
    version, engines = delivered.version, delivered.engines
    found = Comparison.of(version, standing_of(engines, "shop"), [version])
    page = to_markdown(found, "shop")
    figure = -version.metrics["neg_root_mean_squared_error"]
    assert f"| RMSE | {figure:.2f} (" in page
    assert "| neg_" not in page


def test_the_pack_speaks_of_numbers(delivered: Delivered, tmp_path: Path) -> None:
    version, engines = delivered.version, delivered.engines
    engines.registry.fetch(version, tmp_path)
    evidence = evidence_of(tmp_path, version, delivered.receipts["gate"].decision, None)
    _, _, page = render_evidence(evidence, Figures()).partition("</style>")
    text = " ".join(Page(page).text.split())
    assert evidence.threshold is None
    assert "rows that no candidate was fitted or chosen on. ridge value, interval" in text
    assert "of RMSE must stay at or below 200" in text
    assert "a model that gives every row the mean of them" in text
    assert "positive" not in text
    spread = -version.metrics["neg_root_mean_squared_error"] / (1 - version.metrics["r2"]) ** 0.5
    assert f"at most 200, no skill {spread:.2f}" in text


def test_a_model_of_numbers_is_made_again(delivered: Delivered) -> None:
    found = reproduce(delivered.version, delivered.engines)
    assert found.verdict == "identical"
    assert (found.threshold_then, found.threshold_now) == (None, None)
    assert found.evaluation is not None
    assert found.evaluation.calls_changed is None
    text = told(found)
    assert "threshold" not in text
    assert "calls" not in text


@pytest.mark.parametrize(("share", "verdict"), [(1e-11, "identical"), (1e-6, "different")])
def test_numbers_may_move_by_a_share_of_their_size(delivered: Delivered, share: float, verdict: str) -> None:
    """The probes are moved, and what is made again misses them; 1e-11 of hundreds is more than 1e-9."""
    probes = delivered.version.probes
    moved = max(map(abs, probes.expected)) * share
    expected = tuple(one + moved for one in probes.expected)
    version = delivered.version.model_copy(
        update={"probes": probes.model_copy(update={"expected": expected})}
    )
    found = reproduce(version, delivered.engines)
    assert found.scale > 10
    assert found.verdict == verdict
