"""The benchmark of online stores: it runs, and says what it measured."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import online
from benchmarks.online_feast import FEATURES

ROOT = Path(__file__).parents[2]


def test_one_row_in_a_hundred_is_changed() -> None:
    """Of one feature, so that a write of what changed has one row in a hundred to write."""
    table = online.values(1_000)
    other = online.changed(table)
    differ = [one != two for one, two in zip(table.to_pylist(), other.to_pylist(), strict=True)]
    assert sum(differ) == 10
    assert other.select(FEATURES[1:]).equals(table.select(FEATURES[1:]))


@pytest.mark.live
def test_the_tables_have_a_line_a_store() -> None:
    """With few rows; both stores are read while another process writes them."""
    words = [sys.executable, "-m", "benchmarks.online", "--rows", "2000", "--reads", "50"]
    said = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S603 - ours
    lines = [line.split("|")[1:-1] for line in said.splitlines() if line.startswith("|")]
    assert [line[0].strip() for line in lines if line[0].strip() in online.STORES] == [*online.STORES] * 2
    assert {len(line) for line in lines} == {5, 4}
    assert "ended early" not in said
