"""docs/feature-store.md runs as it stands, and its commands are ones there are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from mlops_core.cli import main

PAGE = (Path(__file__).parents[1] / "docs" / "feature-store.md").read_text()


def test_the_page_s_code_runs_and_its_assertions_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The blocks share their names, as in one session."""
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 2
    names: dict[str, Any] = {"__name__": "page"}
    for code in blocks:
        exec(compile(code, "feature-store.md", "exec"), names)  # noqa: S102 - our own page


def test_the_page_s_commands_are_understood(capsys: pytest.CaptureFixture[str]) -> None:
    """Every sub-command that the page names exists, with the options that it is shown with."""
    commands = set(re.findall(r"mlops features (\w+) churn((?: --[\w-]+)*)", PAGE))
    assert {"validate", "materialise", "history", "expire", "get", "verify"} <= {name for name, _ in commands}
    for name, options in commands:
        with pytest.raises(SystemExit):  # argparse ends so after help
            main(["features", name, "--help"])
        said = capsys.readouterr().out
        for option in options.split():
            assert option in said
