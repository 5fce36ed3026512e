"""Two small deliveries by the real engines: version 1 is archived, version 2 in Production."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from tests.cli.conftest import Terminal, desk, events, fresh, migrated, purchases

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["desk", "events", "fresh", "migrated"]  # fixtures of the command line's tests


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    """Their state folder; tests put back what they change in it. Version 2 got there by a waiver."""
    folder = tmp_path_factory.mktemp("evidence")
    events = folder / "purchases.parquet"
    pq.write_table(purchases(), events)
    terminal = Terminal(events, folder / "home")
    for more in (("--as-of", "2022-03-31"), ()):
        said = terminal("run", "churn", "--data", str(events), "--floor", "0.6", "--quiet", *more)
        assert said.code == 0, said.err
    waived = [word for check in failed_checks(terminal) for word in ("--waive", check)]
    said = terminal("promote", "churn", "2", "--reason", "newer data", "--actor", "eva", *waived)
    assert said.code == 0, said.err
    return terminal


def failed_checks(terminal: Terminal) -> list[str]:
    """What version 2 failed at the gate."""
    facts = json.loads(terminal("models", "show", "churn@2", "--json").out)
    return [check["name"] for check in facts["decision"]["checks"] if check["outcome"] == "failed"]


@pytest.fixture(scope="session")
def released(site: Terminal) -> Path:
    """The folder of the release that serves."""
    (found,) = (site.home / "releases" / "churn").glob("2-*")
    return found
