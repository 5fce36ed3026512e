"""docs/failures.md: the names, figures and messages in it are those of the code."""

from __future__ import annotations

import re
from pathlib import Path

from flows.lost_runs import HEARTBEAT_SECONDS, NAME, SILENT_SECONDS
from mlops_core.pipeline import build_pipeline
from mlops_core.settings import Settings
from mlops_core.usecases.churn import CHURN
from mlops_core.wiring import ConfiguredEngines

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "failures.md").read_text()


def test_every_stage_is_attempted_and_limited_as_the_page_says(tmp_path: Path) -> None:
    """Four times, waiting one, two and four seconds, a fifth of it at random; no time-outs."""
    assert (
        "four times, after about one, two and four seconds: each wait is shortened by up to a fifth" in PAGE
    )
    for task in build_pipeline(CHURN, ConfiguredEngines(Settings(home=tmp_path)), data={}):
        assert (task.retry.attempts, task.retry.delays(), task.retry.jitter) == (4, (1, 2, 4), 0.2)
        assert task.timeout_seconds is None


def test_lost_runs_are_found_as_the_page_says() -> None:
    """The automation's name and its seconds."""
    assert f"`{NAME}`" in PAGE
    assert f"*Running* for {SILENT_SECONDS} seconds" in PAGE
    assert f"heartbeat every {HEARTBEAT_SECONDS} seconds" in PAGE


def test_what_the_page_points_to_is_there() -> None:
    """Pages and files of this project."""
    links = re.findall(r"\]\(([^)]+)\)", PAGE)
    files = re.findall(r"`((?:flows|mlops_core)/[\w/]+\.py)`", PAGE)
    assert links
    assert files
    assert all((DOCS / link).is_file() for link in links)
    assert all((DOCS.parent / file).is_file() for file in files)
