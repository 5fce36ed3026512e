"""`mlops export` as a person uses it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

if TYPE_CHECKING:
    from tests.cli.conftest import Terminal

ARCHITECTURE = Path(__file__).parents[2] / "docs" / "architecture.md"


def test_the_diagram_is_printed(fresh: Terminal) -> None:
    said = fresh("export", "churn", "--to", "mermaid")
    assert said.code == 0
    assert said.out in ARCHITECTURE.read_text()
    assert not fresh.home.exists()


def test_a_feast_repository_holds_definitions_and_data(delivered: Terminal, tmp_path: Path) -> None:
    """Aggregates stand at the close of every month and at the last day."""
    said = delivered("export", "churn", "--to", "feast", "--into", str(tmp_path / "repo"))
    assert said.code == 0, said.err
    assert "FeatureView(" in (tmp_path / "repo" / "feature_repo.py").read_text()
    assert (tmp_path / "repo" / "feature_store.yaml").exists()
    rows = pq.read_table(tmp_path / "repo" / "data" / "purchase_history.parquet")
    days = {moment.date().isoformat() for moment in rows["event_timestamp"].to_pylist()}
    assert {"2021-01-31", "2022-06-30"} <= days
    assert len(days) == 18


def test_a_repository_needs_a_folder_and_events(fresh: Terminal, tmp_path: Path) -> None:
    said = fresh("export", "churn", "--to", "feast")
    assert (said.code, "--into FOLDER" in said.err) == (2, True)
    said = fresh("export", "churn", "--to", "feast", "--into", str(tmp_path / "repo"))
    assert (said.code, "features materialise churn" in said.err) == (2, True)
    assert not (tmp_path / "repo").exists()
