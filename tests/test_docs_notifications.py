"""docs/notifications.md: its setting is one, its block can be made, its states are those that runs end in."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from flows import notices
from flows.notices import blocks_of
from mlops_core.settings import Settings

if TYPE_CHECKING:
    import pytest

PAGE = (Path(__file__).parents[1] / "docs" / "notifications.md").read_text()


def test_the_page_s_setting_can_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its blocks are read in their order."""
    (line,) = re.findall(r'^export MLOPS_NOTIFY="(.*)"$', PAGE, re.MULTILINE)
    monkeypatch.setenv("MLOPS_NOTIFY", line)
    assert blocks_of(Settings.load().notify) == ("custom-webhook/pager", "slack-webhook/ops")


def test_the_page_s_figures_are_those_of_the_code() -> None:
    """How long a run waits, how many are kept, and under which name."""
    assert f"All blocks together have {notices.SECONDS:g} seconds" in PAGE
    assert notices.KEPT == 100
    assert "the last hundred" in PAGE
    assert "python -m flows.notices" in PAGE
