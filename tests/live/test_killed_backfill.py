"""A backfill that is killed is finished by the next: what was made stays, only the rest is made."""

from __future__ import annotations

import json
import signal
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from mlops_core.domain.periods import last_days
from mlops_core.pipeline import build_backfill
from mlops_core.settings import Settings
from mlops_core.usecases.churn import CHURN
from mlops_core.wiring import ConfiguredEngines
from tests.every_point import nightly

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.live.conftest import Environment

pytestmark = [pytest.mark.live, nightly]

FIRST, LAST = date(2020, 12, 1), date(2021, 6, 30)
RANGE = ("--first", FIRST, "--last", LAST, "--every", "quarter", "--candidates", "logistic")
ONE_BY_ONE = ("--workers", "1")


def made(home: Path, stage: str = "*") -> dict[str, int]:
    """When each result of a stage was stored."""
    files = home.glob(f"stages/{stage}/[!.]*/receipt.json")
    return {str(file.relative_to(home)): file.stat().st_mtime_ns for file in files}


def receipts(home: Path) -> dict[str, Any]:
    """Every receipt by its place, of which the key of its inputs is a part."""
    return {place: json.loads((home / place).read_bytes())["receipt"] for place in made(home)}


def test_a_killed_backfill_is_finished_by_the_next(
    tmp_path: Path,
    environment: type[Environment],
    project: Path,
    purchases: Path,
    until: Callable[..., Any],
) -> None:
    """The second makes only what is missing; together they made what one run without Prefect does."""
    here = environment(tmp_path / "state", tmp_path / "prefect")
    words = (project / "flows" / "backfill.py", *RANGE, *ONE_BY_ONE, "--data", purchases)
    killed = here.start("python", *words, cwd=tmp_path, log=tmp_path / "log")
    until(lambda: killed.poll() is not None or bool(made(here.home, "model_evaluation")), "a day")
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL, (tmp_path / "log").read_text()
    until(lambda: not here.processes(), "the dead run's own server to end")
    before = made(here.home)
    assert len(made(here.home, "model_evaluation")) == 1

    done = here.run("python", *words, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    until(lambda: not here.processes(), "the run's own server to end")
    assert "churn: 3 days from 2020-12-31 to 2021-06-30: 2 made, 1 found" in done.stdout
    assert before.items() < made(here.home).items()

    one = CHURN.model_copy(update={"candidates": CHURN.candidates[:1]})
    engines = ConfiguredEngines(Settings(home=tmp_path / "undisturbed"))
    days = last_days(FIRST, LAST, "quarter")
    build_backfill(one, engines, data={"purchases": purchases}, as_of=days).execute()
    assert receipts(here.home) == receipts(engines.workspace.home)
