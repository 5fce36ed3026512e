"""Champion against challenger as a forest plot: one panel a metric, one row each set of rows compared on.

A dot is the gain, the line from it ends at the lower confidence bound, and the bound has to lie to the right
of the shaded part: beyond zero where better is wanted, beyond minus the margin where no worse is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from mlops_core.adapters.reporter.plot import WIDTH, tick_step, titled
from mlops_core.domain.readable import gain_text, title_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_core.domain.evidence import Evidence
    from mlops_core.domain.gates import Check, GateDecision

__all__ = ["Comparison", "Panel", "panels"]

_TOP, _ROW, _FOOT, _LEFT, _RIGHT = 8, 38, 40, 112, 304


@dataclass(frozen=True, slots=True)
class Comparison:
    """A paired comparison: `gain` and its lower bound `low`, which must be above `limit`.

    `least` is what the gain itself must reach, None where only the bound counts. `rows` is None where the
    check does not say on how many.
    """

    label: str
    rows: int | None
    gain: float
    low: float
    limit: float
    least: float | None
    failed: bool


@dataclass(frozen=True, slots=True)
class Panel:
    """The comparisons of one metric, and their drawing."""

    title: str
    svg: Markup


def panels(evidence: Evidence) -> list[Panel]:
    """One for the policy's metric, one for the scoring rule where that is another; none without a champion.

    A check that could not be computed has no figures and is not drawn: its sentence says why.
    """
    decision = evidence.decision
    if decision is None or decision.champion is None:
        return []
    rows: dict[str, list[Comparison]] = {}
    for check in decision.checks:
        metric = _metric(check, decision)
        if metric is not None and {"gain", "low"} <= check.figures.keys():
            rows.setdefault(metric, []).append(_comparison(check, evidence.rows))
    return [_panel(metric, compared, decision) for metric, compared in rows.items()]


def _metric(check: Check, decision: GateDecision) -> str | None:
    policy = decision.policy
    if check.name == "scoring rule":
        return policy.scoring_rule
    return policy.metric if check.name == "champion" or check.name.startswith("slice ") else None


def _comparison(check: Check, rows: int | None) -> Comparison:
    figures = check.figures
    whole = not check.name.startswith("slice ")
    return Comparison(
        label="all rows" if whole else check.name.removeprefix("slice "),
        rows=rows if whole else int(figures.get("rows", 0)) or None,
        gain=figures["gain"],
        low=figures["low"],
        limit=-figures["margin"] if "margin" in figures else 0.0,
        least=figures.get("smallest_effect") or None,
        failed=check.outcome == "failed",
    )


def _panel(metric: str, compared: Sequence[Comparison], decision: GateDecision) -> Panel:
    title = title_of(metric)
    gains = [(one.label, gain_text(metric, one.gain), gain_text(metric, one.low)) for one in compared]
    said = "; ".join(f"{label} {gain}, at worst {low}" for label, gain, low in gains)
    alt = f"Gain of {title} over version {decision.champion}: {said}"
    return Panel(title, _draw(metric, alt, compared))


def _draw(metric: str, alt: str, compared: Sequence[Comparison]) -> Markup:
    scale = _Scale.of(compared)
    floor = _TOP + _ROW * len(compared)
    parts = [_row(row, one, scale, metric) for row, one in enumerate(compared)]
    zero = Markup('<path class="zero" d="M{0:.1f} {1}V{2}"/>').format(scale.at(0.0), _TOP, floor)
    return titled(f"forest-{metric}", alt, floor + _FOOT, [_grid(scale, floor), *parts, zero])


@dataclass(frozen=True, slots=True)
class _Scale:
    """From gains to the drawing's units."""

    low: float
    high: float

    @classmethod
    def of(cls, compared: Sequence[Comparison]) -> _Scale:
        ends = [0.0, *(end for one in compared for end in (one.low, one.gain, one.limit, one.least or 0.0))]
        low, high = min(ends), max(ends)
        pad = 0.08 * (high - low) or 1e-4
        return cls(low - pad, high + pad)

    def at(self, value: float) -> float:
        return _LEFT + (value - self.low) / (self.high - self.low) * (_RIGHT - _LEFT)

    def ticks(self) -> list[float]:
        """Few enough that their labels stand apart."""
        step = tick_step(1.4 * (self.high - self.low))
        return [step * count for count in range(math.ceil(self.low / step), math.floor(self.high / step) + 1)]


def _grid(scale: _Scale, floor: int) -> Markup:
    line = Markup('<path class="grid" d="M{0:.1f} {1}V{2}"/><text class="mid" x="{0:.1f}" y="{3}">{4}</text>')
    ticks = [
        line.format(scale.at(tick), _TOP, floor, floor + 15, f"{tick:+.4g}" if tick else "0")
        for tick in scale.ticks()
    ]
    label = Markup('<text class="{}" x="{}" y="{}">{}</text>')
    words = [
        label.format("", _LEFT, floor + 32, "← worse"),
        label.format("end", _RIGHT, floor + 32, "better →"),
    ]
    return Markup("").join([*ticks, *words])


def _row(row: int, one: Comparison, scale: _Scale, metric: str) -> Markup:
    top = _TOP + _ROW * row
    middle = top + _ROW / 2
    kind = "failed" if one.failed else "chosen"
    limit, low, gain = scale.at(one.limit), scale.at(one.low), scale.at(one.gain)
    label = one.label if len(one.label) <= 16 else one.label[:15] + "…"
    parts = [
        Markup('<rect class="forbidden" x="{}" y="{}" width="{:.1f}" height="{}"/>').format(
            _LEFT, top + 2, max(0.0, limit - _LEFT), _ROW - 4
        ),
        Markup('<path class="limit" d="M{:.1f} {}v{}"/>').format(limit, top + 2, _ROW - 4),
        Markup('<path class="reach {0}" d="M{1:.1f} {2:g}H{3:.1f}M{1:.1f} {4:g}v10"/>').format(
            kind, low, middle, gain, middle - 5
        ),
        Markup('<circle class="dot {}" cx="{:.1f}" cy="{:g}" r="4.5"/>').format(kind, gain, middle),
        _text("", 0, middle + (4 if one.rows is None else -2), label),
        _text("end", WIDTH, middle - 2, gain_text(metric, one.gain)),
        _text("end soft", WIDTH, middle + 13, f"≥ {gain_text(metric, one.low)}"),
    ]
    if one.rows is not None:
        parts.append(_text("soft", 0, middle + 13, f"{one.rows:,} rows"))
    if one.least is not None:
        mark = Markup('<path class="least" d="M{:.1f} {}v{}"/>')
        parts.append(mark.format(scale.at(one.least), top + 2, _ROW - 4))
    return Markup("").join(parts)


def _text(kind: str, x: float, y: float, words: str) -> Markup:
    return Markup('<text class="{}" x="{:g}" y="{:g}">{}</text>').format(kind, x, y, words)
