"""docs/plan.md shows what the commands really print."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mlops_core.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.live

PAGE = (Path(__file__).parents[2] / "docs" / "plan.md").read_text()

# What differs from run to run, as it stands in the columns of a table
_VARYING = (
    (r"(about [\d.]+ (s|min)|under 0\.1 s)", "TIME"),
    (r" in [\d.]+ s$", " in TIME"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)? UTC", "MOMENT"),
    (r"/[0-9a-f]{16}\b", "/KEY"),
    (r" {2,}", "  "),
)


def without_times(text: str) -> str:
    """The text without what another run says otherwise."""
    for pattern, word in _VARYING:
        text = re.sub(pattern, word, text, flags=re.MULTILINE)
    return text


def shown() -> Iterator[tuple[list[str], str]]:
    """Every command of the page, and what it prints there."""
    for command, printed in re.findall(r"^```console\n\$ mlops (.*?)\n(.*?)^```$", PAGE, re.DOTALL | re.M):
        yield shlex.split(command), printed


def test_the_page_s_commands_print_what_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All but times, moments and keys, after the delivery that the page begins with."""
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path))
    assert main(["run", "churn", "--quiet"]) == 0
    capsys.readouterr()
    commands = list(shown())
    assert len(commands) == 5
    for words, printed in commands:
        assert main(words) == 0
        assert without_times(capsys.readouterr().out) == without_times(printed)
