"""docs/retention.md: its commands are ones there are, and its table is as the command prints one."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mlops_core.cli import main
from mlops_core.domain.inputs import Inputs
from mlops_core.domain.receipts import ApprovalReceipt
from mlops_core.retention import KINDS
from mlops_core.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = (Path(__file__).parents[1] / "docs" / "retention.md").read_text()


def test_the_page_s_commands_are_understood(capsys: pytest.CaptureFixture[str]) -> None:
    """Every command that the page shows exists, with the options that it is shown with."""
    commands = [shlex.split(line) for line in re.findall(r"^\$ mlops (.*)$", PAGE, re.MULTILINE)]
    commands += [shlex.split(line) for line in re.findall(r"`mlops ([a-z].*?)`", PAGE)]
    assert {words[0] for words in commands} == {"features", "gc", "reproduce", "rollback", "run"}
    for words in commands:
        with pytest.raises(SystemExit):  # argparse ends so after help
            main([*words[: 2 if words[0] == "features" else 1], "--help"])
        said = capsys.readouterr().out
        for option in (word for word in words if word.startswith("--")):
            assert option in said


def test_the_page_s_session_reads_as_the_command_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same commands on a small home: their first and last words are the page's, but for the figures."""
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path / "home"))
    workspace = Workspace(tmp_path / "home")
    for rows in ("1", "2", "3"):
        inputs = Inputs(stage="trial", use_case="churn", data={"rows": rows})
        workspace.produce(inputs, ApprovalReceipt, _made(rows))
    (session,) = re.findall(r"^```console\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    for shown in session.split("$ mlops ")[1:]:
        words, *lines = shown.strip().splitlines()
        assert main(shlex.split(words)) == 0
        said = capsys.readouterr().out.strip().splitlines()
        assert _shape(said[-1]) == _shape(lines[-1])
        if lines[0] != "…":
            assert said[0].split() == lines[0].split()
            assert {line.split("  ")[0] for line in lines[1:-2]} <= set(KINDS)


def _made(rows: str) -> Callable[[Path], ApprovalReceipt]:
    def make(folder: Path) -> ApprovalReceipt:
        (folder / "data").write_text(rows)
        return ApprovalReceipt(status="not wanted", why=rows)

    return make


def _shape(line: str) -> str:
    """The line without its figures and what they count."""
    return re.sub(r"\d[\d,.]* ?(k?B|MB)?|\(.*\)", "#", line)
