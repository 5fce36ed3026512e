"""The HTML report: stands alone, says what is so, survives strange names and many rows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import numpy as np
import pytest

from mlops_core.adapters.reporter.html import HtmlReporter, render
from mlops_core.adapters.reporter.memory import MemoryReporter
from mlops_core.domain.report import ReportContent
from mlops_core.errors import BadInput, DataError
from mlops_core.metrics import accuracy, roc_auc

if TYPE_CHECKING:
    from pathlib import Path

Make = Callable[..., ReportContent]
SVG = re.compile(r"<svg.*?</svg>", re.DOTALL)


class Page(HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the tag."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Note the text."""
        self.text += f"{data} "


def test_a_page_needs_nothing_from_elsewhere(make_content: Make) -> None:
    """No script, no link, no address; it even forbids the browser to fetch anything."""
    page = render(make_content())
    parsed = Page(page)
    assert not {tag for tag, _ in parsed.tags} & {"script", "link", "img", "iframe", "object", "use", "image"}
    assert not {name for _, attributes in parsed.tags for name in attributes} & {"src", "href", "style"}
    assert "://" not in page
    assert "@import" not in page
    assert "url(" not in page
    assert "default-src 'none'" in page


def test_the_same_content_gives_the_same_bytes(make_content: Make, tmp_path: Path) -> None:
    """No date, no random id; a second writing replaces the first and leaves nothing aside."""
    file = tmp_path / "new" / "report.html"
    HtmlReporter().write(make_content(), file)
    first = file.read_bytes()
    file.write_text("old")
    HtmlReporter().write(make_content(), file)
    assert file.read_bytes() == first
    assert [path.name for path in file.parent.iterdir()] == ["report.html"]


def test_a_report_that_fails_leaves_the_old_one(make_content: Make, tmp_path: Path) -> None:
    """Scores that are not finite and labels of one class are refused before anything is written."""
    content = make_content()
    file = tmp_path / "report.html"
    file.write_text("old")
    broken = dict(content.scores) | {"other_0": np.full(500, np.nan)}
    with pytest.raises(BadInput, match="scores must be finite"):
        HtmlReporter().write(make_content(scores=broken), file)
    with pytest.raises(DataError, match="one class only"):
        HtmlReporter().write(make_content(labels=np.ones(500, np.int8)), file)
    assert file.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_every_figure_is_described_and_captioned(make_content: Make) -> None:
    """Six drawings, well-formed, with ids of their own, words for those who do not see, and a caption."""
    page = render(make_content())
    drawings = [ElementTree.fromstring(text) for text in SVG.findall(page)]  # noqa: S314 - our own text
    assert len(drawings) == 6
    for drawing in drawings:
        title = drawing.find("title")
        assert title is not None
        assert title.text
        assert drawing.get("aria-labelledby") == title.get("id")
    ids = Counter(attributes["id"] for _, attributes in Page(page).tags if "id" in attributes)
    assert set(ids.values()) == {1}
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", page, re.DOTALL)
    assert len(captions) == 6
    assert all(len(caption) > 40 for caption in captions)


def test_the_figures_stand_in_words(make_content: Make) -> None:
    """Metrics with intervals, counts at the threshold, validation, facts: what the arrays say."""
    content = make_content()
    text = " ".join(Page(render(content)).text.split())
    auc = content.metrics["roc_auc"]
    assert f"{auc.value:.4f} {auc.low:.4f} to {auc.high:.4f} 0.5000" in text
    chosen = content.scores["chosen_one"]
    called, positive = chosen >= 0.5, content.labels == 1
    for count in (called & positive, called & ~positive, ~called & positive, ~called & ~positive):
        assert f"{count.sum():,} {count.mean():.1%}" in text
    assert f"{content.validation['other_0']['brier']:.4f}" in text
    assert f"other_0 {roc_auc(content.labels, content.scores['other_0']):.3f}" in text
    assert f"In {roc_auc(content.labels, chosen):.1%} of pairs" in text
    assert f"{accuracy(content.labels, chosen, 0.5):.4f}" in text
    assert "Digest ababab" in text


def test_names_are_text_and_never_markup(make_content: Make) -> None:
    """A name with tags and quotes is shown as it is."""
    nasty = "<script>alert('1')</script>\"&"
    content = make_content()
    renamed = dict(content.scores) | {nasty: content.scores["other_0"]}
    page = render(
        make_content(
            title=nasty,
            scores=renamed,
            importances={nasty: (0.1, 0.0)},
            facts=[(nasty, nasty)],
            validation={nasty: {}},
        )
    )
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 6
    assert Page(page).text.count("alert('1')") >= 6


def test_many_rows_make_no_larger_a_page(make_content: Make) -> None:
    """Curves are thinned, to a page far below a megabyte, and still end where they should."""
    content = make_content(rows=300_000, metrics={})
    page = render(content)
    assert len(page.encode()) < 100_000
    roc = SVG.findall(page)[0]
    curve = next(path for path in re.findall(r'class="line chosen" d="(.*?)"', roc) if "L" in path)
    points = [tuple(map(float, point.split())) for point in curve[1:].split("L")]
    across, up = np.array(points).T
    assert (across[0], up[0]) == (across.min(), up.max())
    assert (across[-1], up[-1]) == (across.max(), up.min())
    area = np.trapezoid(up[0] - up, across) / ((across[-1] - across[0]) * (up[0] - up[-1]))
    assert area == pytest.approx(roc_auc(content.labels, content.scores["chosen_one"]), abs=1e-3)


@pytest.mark.parametrize("threshold", [-1.0, 0.0, 1.0, 1.1])
def test_thresholds_at_the_ends_are_drawn(make_content: Make, threshold: float) -> None:
    """Everyone or no one is called positive."""
    page = render(make_content(threshold=threshold))
    assert "nan" not in page
    assert f"Calls at the threshold {threshold:.3f}" in page


def test_little_is_enough(make_content: Make) -> None:
    """Two rows, one candidate, no importances, metrics, validation or facts."""
    labels, scores = np.array([0, 1], np.int8), {"chosen_one": np.array([0.5, 0.5])}
    page = render(
        make_content(labels=labels, scores=scores, importances={}, metrics={}, validation={}, facts=[])
    )
    assert len(SVG.findall(page)) == 5
    assert "nan" not in page


def test_many_features_and_candidates_are_bounded(make_content: Make) -> None:
    """The twenty strongest features are drawn and the rest is counted; every candidate has its curve."""
    features = {f"feature_with_a_long_name_{number}": (number / 1000, 0.001) for number in range(50)}
    page = render(make_content(candidates=6, importances=features))
    assert page.count('class="bar"') == 20
    assert "The 30 weakest are not shown." in page
    assert "Shuffling feature_with_a_long_name_49 alone" in page
    assert SVG.findall(page)[0].count('class="line other-') == 10  # five curves, five swatches


def test_the_memory_reporter_keeps_what_it_was_given(make_content: Make, tmp_path: Path) -> None:
    """And leaves a file where one is expected."""
    reporter, content = MemoryReporter(), make_content()
    reporter.write(content, tmp_path / "report.html")
    assert reporter.written == [(content, tmp_path / "report.html")]
    assert (tmp_path / "report.html").read_text() == "churn: chosen_one\n"
