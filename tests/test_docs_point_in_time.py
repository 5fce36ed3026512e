"""docs/point-in-time.md runs as it stands, and prints what it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

PAGE = Path(__file__).parents[1] / "docs" / "point-in-time.md"


def test_every_code_block_of_the_page_prints_what_stands_below_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The blocks share their names, as in one session."""
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(
        r"^```python\n(.*?)^```\n\n```text\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE
    )
    assert len(blocks) == PAGE.read_text().count("```python") == 2
    names: dict[str, Any] = {"__name__": "page"}
    for code, printed in blocks:
        exec(compile(code, PAGE.name, "exec"), names)  # noqa: S102 - our own page
        assert capsys.readouterr().out == printed
