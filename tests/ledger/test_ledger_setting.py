"""MLOPS_LEDGER: where the ledger is."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

import pytest

from mlops_core.adapters.ledger.sqlite import SQLiteLedger
from mlops_core.errors import DefinitionError
from mlops_core.settings import Settings
from mlops_core.wiring import ConfiguredEngines
from tests.ledger.drafts import registered

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLOPS_HOME", "home")


@pytest.mark.parametrize(
    ("setting", "file"),
    [(None, "home/ledger.db"), ("sqlite:///shared/l.db", "shared/l.db"), ("sqlite:////{}/x.db", "x.db")],
)
def test_the_file_is_where_the_setting_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, setting: str | None, file: str
) -> None:
    """In the state folder by default; relative to where we are, or absolute."""
    if setting is not None:
        monkeypatch.setenv("MLOPS_LEDGER", setting.format(str(tmp_path).lstrip("/")))
    ledger = ConfiguredEngines(Settings.load()).ledger
    monkeypatch.chdir("/")
    ledger.append("churn", [registered(1)], after=0)
    assert isinstance(ledger, SQLiteLedger)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / file]


@pytest.mark.parametrize(
    "setting", ["", "ledger.db", "sqlite:///", "sqlite:///:memory:", "sqlite://x.db", "mysql://u:s3cret@h/db"]
)
def test_a_setting_that_cannot_be_meant_is_refused(monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    """At once, with what can be given, and without what may be a password."""
    monkeypatch.setenv("MLOPS_LEDGER", setting)
    with pytest.raises(
        DefinitionError, match=r"MLOPS_LEDGER cannot be used: give sqlite:///PATH or post"
    ) as caught:
        Settings.load()
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))
