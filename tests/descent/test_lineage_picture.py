"""The picture and its page: well-formed, alone, readable by those who do not see, safe with any text."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_core.adapters.reporter.descent import draw_descent
from mlops_core.adapters.reporter.descent_page import render_descent
from mlops_core.adapters.reporter.html import HtmlReporter
from mlops_core.adapters.reporter.memory import MemoryReporter
from mlops_core.descent import descent_of, descent_with_history
from mlops_core.domain.descent import Descent, Kind, Node
from tests.descent.cases import SOURCES, T, long_life, version_before_there_was_much, version_of

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_core.ports import Reporter

KINDS: tuple[Kind, ...] = ("events", "features", "run", "version", "decision", "approval", "release")
VERSION = version_of(SOURCES, features=12)
LIVED = descent_with_history(descent_of(VERSION, None, None), long_life(VERSION))
BARE = descent_of(version_before_there_was_much(), None, None)


class Page(HTMLParser):
    """Tags, names of attributes, and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the tag."""
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        """Note the text."""
        self.text += f"{data} "


def texts_of(svg: str) -> list[str]:
    """The texts of a drawing."""
    found = ElementTree.fromstring(svg).iter("text")  # noqa: S314 - our own drawing
    return [one.text or "" for one in found]


@pytest.mark.parametrize("descent", [LIVED, BARE], ids=["long life", "bare"])
def test_a_page_needs_nothing_from_elsewhere(descent: Descent) -> None:
    """No script, no link, no address; it even forbids the browser to fetch anything."""
    text = render_descent(descent)
    page = Page(text)
    assert not page.tags & {"script", "link", "img", "iframe", "object", "use", "image"}
    assert not page.attributes & {"src", "href", "style", "onload"}
    assert not re.search(r"://|@import|url\(", text)
    assert "default-src 'none'" in text


def test_the_drawing_has_a_box_a_node_and_an_arrow_an_edge() -> None:
    """With its name, its digest cut to twelve digits, and a description for those who do not see."""
    svg = draw_descent(LIVED)
    root = ElementTree.fromstring(svg)  # noqa: S314 - our own drawing
    boxes = [one for one in root.iter("rect") if one.get("class") == "box"]
    arrows = [one for one in root.iter("path") if one.get("class") == "tip"]
    assert (len(boxes), len(arrows)) == (len(LIVED.nodes), len(LIVED.edges))
    title = root.find("title")
    assert title is not None
    assert root.get("aria-labelledby") == title.get("id")
    assert (title.text or "").startswith("Descent of churn version 2: events, features")
    texts = texts_of(svg)
    for node in LIVED.nodes:
        assert node.digest is None or node.digest[:12] in texts
    assert "web_visits" in texts


def test_boxes_lie_in_the_drawing_and_on_no_other() -> None:
    """Five events and two lives of a version among them."""
    root = ElementTree.fromstring(draw_descent(LIVED))  # noqa: S314 - our own drawing
    _, _, wide, high = map(float, (root.get("viewBox") or "").split())
    places = [
        tuple(float(one.get(key) or 0) for key in ("x", "y", "width", "height"))
        for one in root.iter("rect")
        if one.get("class") == "box"
    ]
    for x, y, width, height in places:
        assert x >= 0
        assert x + width <= wide
        assert y >= 0
        assert y + height <= high
        over = [
            other
            for other in places
            if other[0] < x + width
            and x < other[0] + other[2]
            and other[1] < y + height
            and y < other[1] + other[3]
        ]
        assert len(over) == 1  # itself


def test_the_table_has_every_fact_in_full() -> None:
    """Whole digests and reasons, and what each thing follows from."""
    text = " ".join(Page(render_descent(LIVED)).text.split())
    for node in LIVED.nodes:
        assert (node.digest or "") in text
        for caption, value in node.facts:
            assert f"{caption} {value}" in text
    assert "after events purchases, events returns_within_the_legal_period, events web_visits" in text


def test_equal_descents_give_equal_bytes(tmp_path: Path) -> None:
    """Written over and over, with nothing left beside the page."""
    reporter: Reporter = HtmlReporter()
    page = tmp_path / "new" / "lineage.html"
    reporter.write_descent(LIVED, page)
    first = page.read_bytes()
    reporter.write_descent(BARE, page)
    reporter.write_descent(LIVED.model_copy(deep=True), page)
    assert page.read_bytes() == first
    assert [one.name for one in page.parent.iterdir()] == ["lineage.html"]


def test_the_reporter_in_memory_writes_whose_it_is(tmp_path: Path) -> None:
    """Callers expect a file."""
    reporter: Reporter = MemoryReporter()
    reporter.write_descent(LIVED, tmp_path / "lineage.html")
    assert (tmp_path / "lineage.html").read_text() == "churn 2\n"


@given(
    st.lists(
        st.tuples(st.sampled_from(KINDS), st.text(), st.none() | st.text(), st.booleans(), st.text()),
        max_size=9,
    ),
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=12),
    st.text(),
)
def test_any_text_and_any_graph_is_drawn(
    texts: list[tuple[Kind, str, str | None, bool, str]], edges: list[tuple[int, int]], model: str
) -> None:
    """Well-formed XML, whatever the names; markup in them is text."""
    nodes = tuple(
        Node(
            id=str(place), kind=kind, name=name, digest=digest, at=T if dated else None, facts=(("why", why),)
        )
        for place, (kind, name, digest, dated, why) in enumerate(texts)
    )
    leading = tuple((str(start), str(end)) for start, end in edges)
    svg = draw_descent(Descent(model=model, version=1, nodes=nodes, edges=leading))
    root = ElementTree.fromstring(svg)  # noqa: S314 - our own drawing
    assert {one.tag for one in root.iter()} <= {"svg", "title", "style", "g", "rect", "path", "text"}
    assert sum(one.get("class") == "box" for one in root.iter("rect")) == len(nodes)
    svg.encode()


def test_markup_in_names_and_reasons_is_text() -> None:
    """Shown as it was written."""
    nasty = "<script>alert('1')</script>\"&"
    node = Node(id="1", kind="promotion", name=nasty, facts=(("why", nasty),))
    page = render_descent(Descent(model=nasty, version=1, nodes=(node,), edges=()))
    assert "<script" not in page
    assert Page(page).text.count("alert('1')") >= 5
