"""The benchmark of servers: its table says what was measured, and it runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.serving import ECHO, Load, table

ROOT = Path(__file__).parents[2]


def test_ratios_are_of_the_rounds() -> None:
    """A round in which the machine was slow is slow for all, and counts as any other."""
    ours = [Load(2.0, 4.0, 100), Load(3.0, 9.0, 90), Load(20.0, 50.0, 10)]
    echo = [Load(1.0, 2.0, 200), Load(2.0, 3.0, 180), Load(10.0, 20.0, 20)]
    lines = table("a model", {"ours": ours, ECHO: echo})
    assert lines[2] == "| ours | 3.00 | 2.00, 20.00 | 9.00 | 4.00, 50.00 | 90 | 2.00 | 1.00 |"
    assert lines[3].endswith("| 180 | 1.00 | 0.50 |")


@pytest.mark.live
@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed: apt-get install wrk")
def test_it_runs_where_the_others_are_missing(tmp_path: Path) -> None:
    """One short round of one model: ours both ways, and the echo."""
    nowhere = {name: str(tmp_path / "python") for name in ("MLFLOW_PYTHON", "MLSERVER_PYTHON")}
    words = [
        sys.executable,
        "-m",
        "benchmarks.serving",
        "--rounds",
        "1",
        "--seconds",
        "1",
        "--only",
        "boosting",
    ]
    done = subprocess.run(  # noqa: S603 - ours
        words, cwd=ROOT, env=os.environ | nowhere, capture_output=True, text=True, check=True
    )
    names = [line.split("|")[1].strip() for line in done.stdout.splitlines() if line.startswith("| ")]
    assert names.count("ours, one row") == names.count("ours, by id") == names.count(ECHO) == 2
    assert "left out: no Python with MLServer" in done.stderr
