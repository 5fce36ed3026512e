"""The power curves of `benchmarks.gates` as SVG, in light and dark as the reader has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Curve", "Panel", "drawing"]

PANEL, GUTTER, LEFT, RIGHT, TOP, BOTTOM, HEIGHT = 250, 46, 58, 28, 66, 52, 340
LOW, HIGH = -0.01, 0.02
TICKS = (-0.01, 0.0, 0.01, 0.02)

_STYLE = Markup("""
text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #333 }
.title { font-weight: 600 }
.mid { text-anchor: middle }
.end { text-anchor: end }
.page { fill: #fff }
.grid { stroke: #e3e3e3; fill: none }
.zero { stroke: #999; fill: none }
.level { stroke: #b3261e; stroke-dasharray: 4 3; fill: none }
.said { fill: #b3261e; font-size: 11px }
.line { fill: none; stroke-width: 2; stroke-linejoin: round }
.naive { stroke: #555; stroke-dasharray: 6 4 }
.superiority { stroke: #0b63c5 }
.noninferiority { stroke: #b05a00 }
.dot { fill: #fff; stroke: #0b63c5; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) {
 text { fill: #ddd }
 .page { fill: #0d1117 }
 .grid { stroke: #30363d }
 .zero { stroke: #8b949e }
 .level { stroke: #ff8a80 }
 .said { fill: #ff8a80 }
 .superiority { stroke: #6cb0ff }
 .noninferiority { stroke: #f0a94e }
 .naive { stroke: #c9d1d9 }
 .dot { fill: #0d1117; stroke: #6cb0ff }
}
""")
_ALT = (
    "Share of challengers promoted by how much better they truly are, one panel a number of rows. The rule "
    "greater-or-equal promotes half of the equal ones; superiority and the whole gate at most one in twenty."
)


class Curve(NamedTuple):
    """A rule's points: gain and share promoted; `kind` is a class of the style, `dot` ones are not joined."""

    name: str
    kind: str
    points: list[tuple[float, float]]


class Panel(NamedTuple):
    """Curves on the same axes."""

    title: str
    curves: list[Curve]


def drawing(panels: Sequence[Panel], *, level: float) -> str:
    """A file for an <img>: its own style sheet, no script, no fonts to load."""
    width = LEFT + len(panels) * (PANEL + GUTTER) - GUTTER + RIGHT
    parts = [
        Markup('<rect class="page" width="{}" height="{}"/>').format(width, HEIGHT),
        *_legend(panels[0].curves),
        *_shares(),
    ]
    for number, panel in enumerate(panels):
        left = LEFT + number * (PANEL + GUTTER)
        parts.extend(_panel(panel, left, level, named=number == 0))
    label = Markup('<text class="mid" x="{}" y="{}">true gain in area under the ROC curve</text>')
    parts.append(label.format(width / 2, HEIGHT - 10))
    frame = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="alt" width="{0}" height="{1}" '
        'viewBox="0 0 {0} {1}"><title id="alt">{2}</title><style>{3}</style>\n{4}\n</svg>\n'
    )
    return frame.format(width, HEIGHT, _ALT, _STYLE, Markup("\n").join(parts))


def _legend(curves: Sequence[Curve]) -> Iterator[Markup]:
    at = LEFT
    for curve in curves:
        yield _drawn(curve.kind, [(at, 18), (at + 26, 18)] if curve.kind != "dot" else [(at + 13, 18)])
        yield Markup('<text x="{}" y="22">{}</text>').format(at + 33, curve.name)
        at += 33 + 7 * len(curve.name) + 26


def _shares() -> Iterator[Markup]:
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        text = Markup('<text class="end" x="{}" y="{:.1f}">{:.0%}</text>')
        yield text.format(LEFT - 7, _up(share) + 4, share)
    label = Markup('<text class="mid" transform="translate(14 {}) rotate(-90)">promoted</text>')
    yield label.format((TOP + HEIGHT - BOTTOM) / 2)


def _panel(panel: Panel, left: float, level: float, *, named: bool) -> Iterator[Markup]:
    right, floor = left + PANEL, HEIGHT - BOTTOM
    yield Markup('<text class="title mid" x="{}" y="{}">{}</text>').format(
        left + PANEL / 2, TOP - 10, panel.title
    )
    rules = "".join(f"M{left} {_up(share):.1f}H{right}" for share in (0.0, 0.25, 0.5, 0.75, 1.0))
    yield Markup('<path class="grid" d="{}"/>').format(rules)
    for tick in TICKS:
        at, kind = _across(tick, left), "zero" if tick == 0.0 else "grid"
        mark = Markup('<path class="{}" d="M{:.1f} {}V{}"/><text class="mid" x="{:.1f}" y="{}">{}</text>')
        shown = f"{tick:+.2f}".replace("-", "\N{MINUS SIGN}") if tick else "0"
        yield mark.format(kind, at, floor, TOP, at, floor + 17, shown)
    yield Markup('<path class="level" d="M{} {:.1f}H{}"/>').format(left, _up(level), right)
    if named:
        text = Markup('<text class="said end" x="{}" y="{:.1f}">{:.0%}</text>')
        yield text.format(right - 4, _up(level) - 4, level)
    for curve in panel.curves:
        yield _drawn(curve.kind, [(_across(gain, left), _up(share)) for gain, share in curve.points])


def _drawn(kind: str, points: Sequence[tuple[float, float]]) -> Markup:
    if kind == "dot":
        disc = Markup('<circle class="dot" cx="{:.1f}" cy="{:.1f}" r="3.5"/>')
        return Markup("").join(disc.format(*point) for point in points)
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return Markup('<path class="line {}" d="M{}"/>').format(kind, path)


def _across(gain: float, left: float) -> float:
    return left + (gain - LOW) / (HIGH - LOW) * PANEL


def _up(share: float) -> float:
    return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
