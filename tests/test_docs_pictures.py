"""The drawings beside the pages are what docs/pictures.py draws, and each is shown and told in words."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from docs.held import ROOT, pages
from docs.pictures import PICTURES, drawn

PAGES = "".join(page.read_text() for page in pages())


@pytest.mark.parametrize("name", PICTURES)
def test_a_drawing_is_as_its_script_draws_it(name: str) -> None:
    """`python -m docs.pictures` writes them anew."""
    assert (ROOT / "docs" / name).read_text() == drawn(PICTURES[name]())


@pytest.mark.parametrize("name", PICTURES)
def test_a_drawing_is_shown_with_words_for_those_who_do_not_see_it(name: str) -> None:
    (alt,) = re.findall(rf"!\[([^\]]*)\]\({re.escape(name)}\)", PAGES)
    root = ElementTree.fromstring(drawn(PICTURES[name]()))  # noqa: S314 - our own file
    title = root.find("{http://www.w3.org/2000/svg}title")
    assert title is not None
    assert len(alt) > 40
    assert len(title.text or "") > 40


@pytest.mark.parametrize("name", PICTURES)
def test_no_words_of_a_drawing_leave_it(name: str) -> None:
    """By the width of its letters, as a browser's own font has them: seven pixels at most for each."""
    root = ElementTree.fromstring(drawn(PICTURES[name]()))  # noqa: S314 - our own file
    for text in root.iter("{http://www.w3.org/2000/svg}text"):
        words, kind = text.text or "", text.get("class", "")
        width = len(words) * (5.8 if "small" in kind else 7)
        start = float(text.get("x", 0)) - (0 if "left" in kind else width / 2)
        assert start >= 0, words
        assert start + width <= float(root.get("width", 0)), words
