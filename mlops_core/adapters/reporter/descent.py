"""The descent of a version as a picture: a box a thing, in the order of the way of the data, top to bottom.

It is 360 units wide, so that a phone shows its text at about the size that it is written in; a page with more
room limits its width (30rem reads well). Colours are the page's where it names them (`--ink`, `--rule` and
so on, see `report.html.j2`), else its own for light and dark.

Boxes stand below each other; events, where there are several, in two columns with a line down the middle. An
edge to the next box is an arrow, one that skips boxes goes around them in a lane on the left.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from markupsafe import Markup

from mlops_core.adapters.reporter.lettering import clean, cut, lines_of, measure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_core.domain.descent import Descent, Node

__all__ = ["draw_descent"]

_WIDTH, _GAP, _MIDDLE = 360.0, 22.0, 16.0
_LANE, _LANES = 7.0, 5
_PAD, _STRIPE = 10.0, 4.0
_SMALL, _NAME = 11.0, 13.5
_LINE, _MOST, _LONGEST = 15.0, 7, 2  # of facts: how many lines, and how many of one fact

_STYLE = Markup(
    "<style>"
    "svg.descent{--d-paper:var(--paper,#fff);--d-ink:var(--ink,#1c2430);--d-soft:var(--soft,#5b6675);"
    "--d-rule:var(--rule,#c3cad4);--d-wash:var(--wash,#f4f6f9);--d-data:var(--b,#0f7f6c);"
    "--d-model:var(--chosen,#1d5fd1);--d-word:var(--c,#8a3fb0);--d-live:var(--a,#c2560c);"
    'font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}'
    "@media (prefers-color-scheme:dark){svg.descent{"
    "--d-paper:var(--paper,#14181e);--d-ink:var(--ink,#e4e8ee);"
    "--d-soft:var(--soft,#9aa5b3);--d-rule:var(--rule,#4a5563);--d-wash:var(--wash,#1d232c);"
    "--d-data:var(--b,#4cc4ae);--d-model:var(--chosen,#6ea8ff);--d-word:var(--c,#cf92ee);"
    "--d-live:var(--a,#f0914d)}}"
    "svg.descent text{fill:var(--d-ink);font-size:11px}"
    "svg.descent .soft{fill:var(--d-soft)}"
    "svg.descent .name{font-size:13.5px;font-weight:600}"
    "svg.descent .digest{fill:var(--d-soft);font-family:ui-monospace,Menlo,Consolas,monospace;"
    "text-anchor:end}"
    "svg.descent .when{fill:var(--d-soft);text-anchor:end}"
    "svg.descent .box{fill:var(--d-wash);stroke:var(--d-rule)}"
    "svg.descent .edge{fill:none;stroke:var(--d-soft);stroke-width:1.3}"
    "svg.descent .tip{fill:var(--d-soft)}"
    "svg.descent .data{fill:var(--d-data)}svg.descent .model{fill:var(--d-model)}"
    "svg.descent .word{fill:var(--d-word)}svg.descent .live{fill:var(--d-live)}"
    "</style>"
)

_GROUPS = {
    "events": "data",
    "features": "data",
    "training set": "data",
    "run": "model",
    "version": "model",
    "decision": "word",
    "approval": "word",
    "promotion": "live",
    "release": "live",
}


@dataclass(frozen=True)
class _Box:
    """A node with its place; `facts` are the lines that fit. `row` counts from the top."""

    node: Node
    x: float
    width: float
    facts: tuple[str, ...]
    y: float = 0.0
    row: int = 0

    @property
    def height(self) -> float:
        """With room for every line."""
        return 44.0 + _LINE * len(self.facts) + (3.0 if self.facts else 0.0)

    @property
    def foot(self) -> float:
        """Its lower edge."""
        return self.y + self.height


def draw_descent(descent: Descent) -> str:
    """One `<svg>` element of class `descent`, with its own style; equal arguments give equal bytes."""
    lanes = _lanes(descent)
    boxes = _placed(descent, _LANE * min(_LANES, len(lanes)) + (5.0 if lanes else 0.0))
    height = max((box.foot for box in boxes.values()), default=0.0) + 2.0
    frame = Markup(
        '<svg class="descent" role="img" aria-labelledby="descent-alt" viewBox="0 0 {:g} {:g}">'
        '<title id="descent-alt">{}</title>{}{}</svg>'
    )
    drawn = [*_edges(descent, boxes, lanes), *(_drawn(box) for box in boxes.values())]
    return str(frame.format(_WIDTH, height, _alt(descent), _STYLE, Markup("").join(drawn)))


def _alt(descent: Descent) -> str:
    kinds = ", ".join(dict.fromkeys(node.kind for node in descent.nodes))
    return f"Descent of {clean(descent.model)} version {descent.version}: {kinds}"


def _lanes(descent: Descent) -> list[tuple[str, str]]:
    """The edges that do not lead from a box to the next one."""
    order = {node.id: place for place, node in enumerate(descent.nodes)}
    events = [node.id for node in descent.nodes if node.kind == "events"]
    first = next((node.id for node in descent.nodes if node.kind != "events"), None)
    found = []
    for start, end in descent.edges:
        known = start in order and end in order
        if known and order[end] - order[start] != 1 and not (start in events and end == first):
            found.append((start, end))
    return found


def _placed(descent: Descent, left: float) -> dict[str, _Box]:
    """Boxes by id, from the top; events two by two."""
    events = [node for node in descent.nodes if node.kind == "events"]
    others = [node for node in descent.nodes if node.kind != "events"]
    pairs = [events[place : place + 2] for place in range(0, len(events), 2)]
    boxes: dict[str, _Box] = {}
    y = 1.0
    half = (_WIDTH - left - _MIDDLE) / 2 - 1
    for row, nodes in enumerate([*pairs, *([one] for one in others)]):
        wide = _WIDTH - left - 2 if len(events) < 2 or nodes[0].kind != "events" else half
        made = [_box(node, left + 1 + place * (half + _MIDDLE), wide) for place, node in enumerate(nodes)]
        boxes |= {box.node.id: replace(box, y=y, row=row) for box in made}
        within_events = row + 1 < len(pairs)
        y += max(box.height for box in made) + (8.0 if within_events else _GAP)
    return boxes


def _box(node: Node, x: float, width: float) -> _Box:
    room = width - _STRIPE - 2 * _PAD
    lines: list[str] = []
    for caption, value in node.facts:
        fact = f"{caption} {clean(value)}"
        if lines and measure(f"{lines[-1]} · {fact}", _SMALL) <= room:
            lines[-1] += f" · {fact}"
        else:
            lines += lines_of(fact, _SMALL, room, _LONGEST)
    return _Box(node, x, width, tuple(lines[:_MOST]))


def _drawn(box: _Box) -> Markup:
    left, right = box.x + _STRIPE + _PAD, box.x + box.width - _PAD
    rect = Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="{}"/>')
    parts = [
        rect.format("box", box.x, box.y, box.width, box.height, 5),
        rect.format(_GROUPS[box.node.kind], box.x, box.y, _STRIPE, box.height, 2),
        *_heading(box, left, right),
        *(_text("fact", left, box.y + 51 + _LINE * place, line) for place, line in enumerate(box.facts)),
    ]
    return Markup("<g>{}</g>").format(Markup("").join(parts))


def _heading(box: _Box, left: float, right: float) -> list[Markup]:
    """Kind, time (not in a narrow box) and digest, and below them the name."""
    node, first, room = box.node, box.y + 16, right - left
    digest = clean(node.digest or "")[:12]
    when = f"{node.at:%Y-%m-%d %H:%M} UTC" if node.at and room > _WIDTH / 2 else ""
    return [
        _text("soft", left, first, node.kind),
        _text("when", right - (0.62 * _SMALL * len(digest) + 12 if digest else 0), first, when),
        _text("digest", right, first, digest),
        _text("name", left, box.y + 34, cut(clean(node.name), _NAME, room, bold=True)),
    ]


def _text(kind: str, x: float, y: float, text: str) -> Markup:
    if not text:
        return Markup("")
    return Markup('<text class="{}" x="{:.1f}" y="{:.1f}">{}</text>').format(kind, x, y, text)


def _edges(descent: Descent, boxes: dict[str, _Box], lanes: Sequence[tuple[str, str]]) -> list[Markup]:
    drawn = []
    for start, end in dict.fromkeys(descent.edges):
        if start not in boxes or end not in boxes or start == end:
            continue
        one, other = boxes[start], boxes[end]
        if (start, end) in lanes:
            drawn.append(_around(one, other, lanes.index((start, end)) % _LANES))
        elif one.width < other.width:  # events in columns
            middle = other.x + other.width / 2
            side = one.x + one.width if one.x < middle - one.width / 2 else one.x
            drawn.append(
                _arrow(f"M{side:.1f} {one.y + 22:.1f}H{middle:.1f}V{other.y - 5:.1f}", middle, other.y)
            )
        else:
            middle = other.x + other.width / 2
            drawn.append(_arrow(f"M{middle:.1f} {one.foot:.1f}V{other.y - 5:.1f}", middle, other.y))
    return drawn


def _around(one: _Box, other: _Box, lane: int) -> Markup:
    x = 2.0 + _LANE * lane
    start, end = one.y + one.height - 9, other.y + 12
    path = f"M{one.x:.1f} {start:.1f}H{x:.1f}V{end:.1f}H{other.x - 5:.1f}"
    tip = f"M{other.x:.1f} {end:.1f}l-6 -3.5v7z"
    return Markup('<path class="edge" d="{}"/><path class="tip" d="{}"/>').format(path, tip)


def _arrow(path: str, x: float, y: float) -> Markup:
    tip = f"M{x:.1f} {y:.1f}l-3.5 -6h7z"
    return Markup('<path class="edge" d="{}"/><path class="tip" d="{}"/>').format(path, tip)
