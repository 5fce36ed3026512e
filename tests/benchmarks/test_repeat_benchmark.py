"""The benchmark of plans and reproductions: it runs, and says what it measured."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import repeat
from benchmarks.processes import Cost
from tests.flows.purchases import write_purchases

ROOT = Path(__file__).parents[2]


def test_reproduce_stands_beside_the_first_run_and_all_else_beside_the_second() -> None:
    costs = {line: [Cost(2.0, 1.0)] for line in repeat.LINES} | {repeat.FIRST: [Cost(8.0, 9.0)]}
    ratios = {line.split("|")[1].strip(): line.split("|")[4].strip() for line in repeat.table(costs)[2:]}
    assert ratios["reproduce"] == "0.25"
    assert {ratio for line, ratio in ratios.items() if line != "reproduce"} == {"1.00"}


@pytest.mark.live
def test_every_command_is_measured(tmp_path: Path) -> None:
    data = write_purchases(tmp_path / "purchases.parquet", 650)
    words = [sys.executable, "-m", "benchmarks.repeat", "--rounds", "1", "--data", str(data)]
    said = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S603 - ours
    lines = [line.split("|")[1].strip() for line in said.splitlines() if line.startswith("|")]
    assert lines[2:] == list(repeat.LINES)
