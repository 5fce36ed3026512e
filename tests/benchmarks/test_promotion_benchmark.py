"""The benchmark of promotion: it runs, and says what it measured."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import promotion

ROOT = Path(__file__).parents[2]


def test_every_line_is_a_multiple_of_the_bare_alias() -> None:
    seconds = {line: [0.010 * (number + 1)] * 3 for number, line in enumerate(promotion.LINES)}
    lines = [line.split("|")[1:-1] for line in promotion.table(seconds)][2:]
    assert [float(line[-1]) for line in lines] == [float(number + 1) for number in range(len(lines))]
    assert [float(line[2]) for line in lines] == [10.0 * (number + 1) for number in range(len(lines))]


@pytest.mark.live
def test_the_table_has_a_line_a_kind() -> None:
    """With few rounds; each goes back and forth between two real versions, and checks what serves."""
    words = [sys.executable, "-m", "benchmarks.promotion", "--rounds", "2", "--commands", "2"]
    said = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S603 - ours
    lines = [line.split("|")[1:-1] for line in said.splitlines() if line.startswith("|")]
    assert [line[0].strip() for line in lines[2:]] == list(promotion.LINES)
    assert "load" in said.splitlines()[0]
