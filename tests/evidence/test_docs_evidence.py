"""docs/evidence.md: its commands and its code are run, on a release of the real engines."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest

from mlops_core.cli import main
from mlops_core.domain.evidence import Evidence, Verdict

if TYPE_CHECKING:
    from tests.cli.conftest import Terminal
    from tests.promotion.desk import Desk

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "evidence.md").read_text()


def test_the_page_s_command_says_what_the_page_shows(
    fresh: Terminal, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Digests and the release's folder are others in every release."""
    desk.delivered(1)
    monkeypatch.chdir(tmp_path)
    (shown,) = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    command, *expected = shown.splitlines()
    said = fresh(*shlex.split(command.removeprefix("$ mlops ")))
    assert (said.code, said.err) == (0, "")
    assert [alike(line) for line in said.out.splitlines()] == [alike(line) for line in expected]
    assert len(list((tmp_path / "packs").iterdir())) == 2


def alike(line: str) -> str:
    """The line without what differs between releases."""
    return re.sub(r"\b[0-9a-f]{64}\b|\b[0-9a-f]{12}\b", "…", line)


def test_the_page_s_other_commands_are_understood(capsys: pytest.CaptureFixture[str]) -> None:
    for line in re.findall(r"`mlops ([a-z].*?)`", PAGE):
        words = shlex.split(line)
        with pytest.raises(SystemExit):  # argparse ends so after help
            main([words[0], "--help"])
        said = capsys.readouterr().out
        for option in (word for word in words if word.startswith("--")):
            assert option in said


@pytest.mark.live
def test_the_page_s_code_verifies_a_release(
    site: Terminal, released: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And fails where a document is another."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    monkeypatch.chdir(released / "model")
    exec(compile(code, "evidence.md", "exec"), {})  # noqa: S102 - our own page
    report = Path("documents/report.html")
    content = report.read_bytes()
    report.write_bytes(content + b" ")
    try:
        with pytest.raises(AssertionError, match=r"documents/report\.html"):
            exec(compile(code, "evidence.md", "exec"), {})  # noqa: S102 - our own page
    finally:
        report.write_bytes(content)
    assert site("evidence", "churn", "--json").code == 0


def test_the_page_names_every_verdict_and_every_field() -> None:
    for verdict in get_args(Verdict):
        assert f"*{verdict}*" in PAGE
    for field in Evidence.model_fields:
        assert f"`{field}`" in PAGE


def test_the_page_s_pictures_are_there_and_small() -> None:
    for name in re.findall(r"!\[.*?\]\((.*?)\)", PAGE):
        assert 10_000 < (DOCS / name).stat().st_size < 300_000
