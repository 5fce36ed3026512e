"""docs/airflow-and-prefect.md shows what `python -m benchmarks.parity` printed: every way, and all equal."""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks.parity.on_airflow import Airflow
from benchmarks.parity.on_github import GitHub
from benchmarks.parity.on_prefect import ExportedFlow, OwnFlow
from benchmarks.parity.on_this_machine import FromFile, InProcess, TaskChain
from benchmarks.parity.way import CHURN

PAGE = (Path(__file__).parents[1] / "docs" / "airflow-and-prefect.md").read_text()
WAYS = [way.name for way in (InProcess, FromFile, TaskChain, OwnFlow, ExportedFlow, Airflow, GitHub)]


def test_the_tables_have_every_way_and_the_same_came_of_all() -> None:
    table = PAGE.partition("<!-- parity table -->")[2].partition("<!-- end of parity table -->")[0]
    rows = re.findall(r"^\| ([^|]+?) \|", table, re.MULTILINE)
    assert [row for row in rows if row in WAYS] == WAYS * 2
    assert "| equal: yes |" in table
    failed = re.findall(
        r"^\| (\w[\w.]*) \| .* \| the same" + r" \| the same" * (len(WAYS) - 1), table, re.MULTILINE
    )
    assert failed == CHURN.dag().topological_order()
    assert "Run again without a fault: equal." in table
    assert "python -m benchmarks.parity" in table
