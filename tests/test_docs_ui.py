"""docs/ui.md: the pictures and pages that it shows are there, and small; it says what flows and UI say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flows.progress import FIRST, KEY

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "ui.md").read_text()
PICTURES = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", PAGE)


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_there_and_small(name: str) -> None:
    content = (DOCS / name).read_bytes()
    assert content.startswith(b"\x89PNG")
    assert len(content) < 200_000


def test_every_picture_of_the_script_is_shown() -> None:
    script = (DOCS / "ui_screenshots.py").read_text()
    assert set(re.findall(r'"([a-z-]+\.png)"', script)) == set(PICTURES)


def test_what_it_links_to_is_there() -> None:
    for name in re.findall(r"[^!]\[[^\]]+\]\(([a-z_]+\.md)\)", PAGE):
        assert (DOCS / name).is_file()


def test_it_says_what_progress_does() -> None:
    assert FIRST == 2.0
    assert "has run for two seconds" in PAGE
    assert f"one `{KEY}` artifact" in PAGE
