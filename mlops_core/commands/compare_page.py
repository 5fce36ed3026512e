"""A comparison of two versions as GitHub-flavoured Markdown, for a comment or the summary of a workflow.

What others wrote (names, sentences, definitions) is text there and nothing else: no HTML, no link, no mention
of a person, no end of a table's cell. The page stays under what GitHub takes of a comment.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from mlops_core.commands.output import moment, one_line
from mlops_core.domain.readable import column_of, figure_text, figure_with_interval, gain_text
from mlops_core.domain.receipts import Interval

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mlops_core.comparison import Comparison, Facts, MetricRow
    from mlops_core.domain.gates import Check

__all__ = ["LONGEST", "beside", "figure", "plain", "sides", "to_markdown"]

T = TypeVar("T")
LONGEST = 60_000
"""Characters of a page at most: GitHub takes 65,536 of a comment, which also holds the commenter's mark."""

_MOST = (60, 30, 15, 5)  # lines of a list or a table: the first with which the page is not too long
_SIGNS = 400  # of what others wrote, before what marks it as text
_MARKS = re.compile(
    r"[\\`*\[\]|~!$]|(?<!\w)_|_(?!\w)"
)  # CommonMark 0.31, 6.1; "_" within a word marks nothing
_LINKS = re.compile(
    r"([@#]|:(?=//)|www(?=\.)|GH(?=-))", re.IGNORECASE
)  # what GitHub makes links of by itself
_APART = "\u200b"  # a space of no width


@dataclass(frozen=True)
class _Lines:
    """Lists and tables of so many lines at most; `more` is the command that shows the rest."""

    most: int
    more: str

    def bullets(self, items: Sequence[T], told: Callable[[T], str]) -> str:
        lines = [f"- {told(item)}" for item in items[: self.most]]
        return "\n".join([*lines, *self._rest(len(items), "- ")])

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
        lines = [heads, ["---"] * len(heads), *rows[: self.most]]
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        return "\n\n".join([table, *self._rest(len(rows), "")])

    def _rest(self, count: int, mark: str) -> list[str]:
        return [f"{mark}and {count - self.most} more: `{self.more}`"] if count > self.most else []


def to_markdown(found: Comparison, known_as: str) -> str:
    """The page; `known_as` is how commands find the use case."""
    more = one_line(f"mlops models compare {known_as}@{found.subject.version} --json").replace("`", "?")
    pages = (_page(found, _Lines(most, more)) for most in _MOST)
    return next(page for page in pages if len(page) <= LONGEST)


def plain(text: str) -> str:
    """What somebody wrote, as text in Markdown and one line of it."""
    line = html.escape(_MARKS.sub(r"\\\g<0>", one_line(text, _SIGNS)), quote=False)
    return _LINKS.sub(rf"\1{_APART}", line)


def figure(row: MetricRow) -> tuple[str, str, str]:
    """A metric's figure with its interval, the other version's, and the gain; empty where there is none."""
    metric = row.metric
    own = figure_text(metric, row.value)
    if row.low is not None and row.high is not None:
        own = figure_with_interval(metric, Interval(value=row.value, low=row.low, high=row.high))
    other = "" if row.other is None else figure_text(metric, row.other, like=row.value)
    if row.gain is None or row.at_worst is None:
        return own, other, ""
    return own, other, f"{gain_text(metric, row.gain)}, {gain_text(metric, row.at_worst)}"


def sides(found: Comparison) -> list[str]:
    """The versions that are compared, the one in question first."""
    both = [found.subject] if found.other is None else [found.subject, found.other]
    return [f"version {one.version}" for one in both]


def beside(found: Comparison) -> Iterator[tuple[str, list[str]]]:
    """What a version is, and the other one: a name, and the text of each."""
    both = [found.subject] if found.other is None else [found.subject, found.other]
    yield "stage", [one.stage or "not in the ledger" for one in both]
    yield "candidate", [one.candidate for one in both]
    yield "data as of", [f"{one.as_of:%Y-%m-%d}" for one in both]
    yield "trained on", [f"{one.rows:,} rows" for one in both]
    for name in ("digest", "training_set", "definitions", "code"):
        yield name.replace("_", " "), [getattr(one, name)[:12] for one in both]
    yield "commit", [_commit(one) for one in both]
    yield "registered", [f"{moment(one.registered_at)} UTC" for one in both]


def _commit(one: Facts) -> str:
    if one.git_commit is None:
        return "none"
    commit, dash, dirty = one.git_commit.partition("-")
    return f"{commit[:12]}{dash}{dirty}"


def _page(found: Comparison, lines: _Lines) -> str:
    parts = [
        f"## {plain(found.name)} version {found.subject.version}: {_headline(found)}",
        f"{plain(found.note[:1].upper() + found.note[1:])}.",
        *_checks(found, lines),
        "### Metrics",
        _metrics(found, lines),
        "### What it is",
        lines.table(["", *sides(found)], [[name, *map(plain, cells)] for name, cells in beside(found)]),
        *_differs(found, lines),
    ]
    return "\n\n".join(parts) + "\n"


def _headline(found: Comparison) -> str:
    where = f", in {found.subject.stage}" if found.subject.stage else ""
    return f"{found.verdict} by the gate{where}" if found.verdict else f"not judged yet{where}"


def _checks(found: Comparison, lines: _Lines) -> Iterator[str]:
    """What failed in full view; the others behind a click."""
    if found.decision is None:
        return
    for outcome in ("failed", "passed", "not applicable"):
        checks = [one for one in found.decision.checks if one.outcome == outcome]
        text = lines.bullets(checks, _check)
        title = f"{outcome.capitalize()}: {len(checks)}"
        if checks and outcome == "failed":
            yield f"### Failed checks\n\n{text}"
        elif checks:
            yield f"<details><summary>{title}</summary>\n\n{text}\n\n</details>"


def _check(one: Check) -> str:
    return f"**{plain(one.name)}:** {plain(one.sentence)}"


def _metrics(found: Comparison, lines: _Lines) -> str:
    heads = ["metric", *sides(found), *(["gain, at worst"] if found.paired else [])]
    rows = [[plain(column_of(row.metric)), *figure(row)][: len(heads)] for row in found.metrics]
    return lines.table(heads, rows)


def _differs(found: Comparison, lines: _Lines) -> Iterator[str]:
    if found.other is not None:
        yield f"### What differs from version {found.other.version}"
        yield lines.bullets(found.changes, plain) or "Nothing of what went into the two."
