"""Line plots as inline SVG: text in the page's font, colours from its style sheet, the same bytes every time.

Drawn by hand rather than by matplotlib: nothing to import (it takes a second, and seconds more to look for
fonts when it first runs), light and dark follow the reader's settings, and a plot has a few kilobytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mlops_core.adapters.reporter.number_axis import NumberAxis

__all__ = ["Axis", "Curve", "Plot", "tick_step", "titled"]

WIDTH, HEIGHT = 400, 330
LEFT, RIGHT, TOP, BOTTOM = 56, 20, 12, 46


class Curve(NamedTuple):
    """Points (k,) and (k,) in the axes' units."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis from 0 to `top`, of shares: ticks are written in per cent."""

    label: str
    top: float = 1.0

    def ticks(self) -> list[float]:
        """Round values from 0 to `top`, four to six of them."""
        step = tick_step(self.top)
        return [step * count for count in range(int(self.top / step + 1e-9) + 1)]

    def at(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where values lie, as shares of the axis."""
        return values / self.top

    def text(self, tick: float) -> str:
        """What stands at a tick."""
        return f"{100 * tick:.3g}%"


def tick_step(top: float) -> float:
    """A step of 1, 2 or 5 times a power of ten that makes at most five of them reach `top` > 0."""
    base = 10.0 ** np.floor(np.log10(top / 5.0))
    return float(next(base * times for times in (1, 2, 5, 10) if base * times >= top / 5.0 * (1 - 1e-9)))


@dataclass(slots=True)
class Plot:
    """A plot being drawn, back to front. `kind` arguments are class names that the page's style sheet has."""

    key: str
    alt: str
    x: Axis | NumberAxis
    y: Axis | NumberAxis
    _marks: list[Markup] = field(default_factory=list)
    _legend: list[Markup] = field(default_factory=list)

    def line(self, curve: Curve, kind: str) -> None:
        """A polyline."""
        self._marks.append(Markup('<path class="line {}" d="{}"/>').format(kind, self._path(curve)))

    def area(self, curve: Curve, kind: str) -> None:
        """What lies between a polyline and the x axis, filled."""
        ends = np.array([curve.x[0], curve.x[-1]])
        closed = Curve(np.insert(ends, 1, curve.x), np.concatenate(([0.0], curve.y, [0.0])))
        self._marks.append(Markup('<path class="area {}" d="{}Z"/>').format(kind, self._path(closed)))

    def dots(self, curve: Curve, kind: str, radius: float) -> None:
        """A disc at each point."""
        disc = Markup('<circle class="dot {}" cx="{:.1f}" cy="{:.1f}" r="{:g}"/>')
        for x, y in zip(self._across(curve.x), self._up(curve.y), strict=True):
            self._marks.append(disc.format(kind, x, y, radius))

    def boxes(self, corners: NDArray[np.float64], strength: float) -> None:
        """Rectangles (k, 4) from (x, y) to (x, y), filled as strongly as a share of one says."""
        left, low, right, high = corners.T
        sides = zip(self._across(left), self._up(low), self._across(right), self._up(high), strict=True)
        path = "".join(f"M{a:.1f} {b:.1f}H{c:.1f}V{d:.1f}H{a:.1f}Z" for a, b, c, d in sides)
        drawn = Markup('<path class="bar" opacity="{:g}" shape-rendering="crispEdges" d="{}"/>')
        self._marks.append(drawn.format(strength, path))

    def entry(self, text: str, kind: str) -> None:
        """A line of the legend."""
        swatch = Markup('<path class="line {}" d="M0 {}h22"/><text class="halo" x="28" y="{}">{}</text>')
        y = 16 * len(self._legend)
        self._legend.append(swatch.format(kind, y, y + 4, text))

    def svg(self, legend: tuple[float, float]) -> Markup:
        """The drawing; the legend's first entry begins at this point of the axes."""
        x, y = float(self._across(np.array(legend[0]))), float(self._up(np.array(legend[1])))
        parts = [
            self._frame(),
            *self._marks,
            Markup('<g transform="translate({:.1f} {:.1f})">').format(x, y),
            *self._legend,
            Markup("</g>"),
        ]
        return titled(self.key, self.alt, HEIGHT, parts)

    def _path(self, curve: Curve) -> str:
        points = zip(self._across(curve.x), self._up(curve.y), strict=True)
        return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)

    def _across(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return LEFT + self.x.at(values) * (WIDTH - LEFT - RIGHT)

    def _up(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return HEIGHT - BOTTOM - self.y.at(values) * (HEIGHT - TOP - BOTTOM)

    def _frame(self) -> Markup:
        right, floor = WIDTH - RIGHT, HEIGHT - BOTTOM
        grid = Markup('<path class="grid" d="{}"/><text class="{}" x="{:.1f}" y="{:.1f}">{}</text>')
        parts: list[Markup] = []
        for tick in self.x.ticks():
            at = float(self._across(np.array(tick)))
            parts.append(grid.format(f"M{at:.1f} {floor}V{TOP}", "mid", at, floor + 16, self.x.text(tick)))
        for tick in self.y.ticks():
            at = float(self._up(np.array(tick)))
            parts.append(grid.format(f"M{LEFT} {at:.1f}H{right}", "end", LEFT - 6, at + 4, self.y.text(tick)))
        label = Markup('<text class="mid" transform="translate({:g} {:g}) rotate({})">{}</text>')
        parts.append(label.format((LEFT + right) / 2, HEIGHT - 8, 0, self.x.label))
        parts.append(label.format(11, (TOP + floor) / 2, -90, self.y.label))
        return Markup("").join(parts)


def titled(key: str, alt: str, height: float, parts: Sequence[Markup]) -> Markup:
    """An SVG of the usual width around its parts, described for those who do not see it."""
    frame = Markup(
        '<svg role="img" aria-labelledby="{0}-alt" viewBox="0 0 {1} {2:g}">'
        '<title id="{0}-alt">{3}</title>{4}</svg>'
    )
    return frame.format(key, WIDTH, height, alt, Markup("").join(parts))
