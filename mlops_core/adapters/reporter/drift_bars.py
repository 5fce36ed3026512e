"""How far each feature's values have moved from the champion's training rows, as bars against the limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from mlops_core.adapters.reporter.plot import WIDTH, tick_step, titled

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["SHOWN", "drift_bars"]

SHOWN = 25
"""Bars at most, those that moved most."""

_ROW, _TOP, _FOOT, _LABELS, _RIGHT = 20, 18, 40, 132, 46


def drift_bars(indices: Mapping[str, float], limit: float | None, expected: Collection[str]) -> Markup:
    """A bar for each population stability index, largest first, and a line at the limit.

    Those `expected` to move are told apart by their bar and in words, and are not measured by the limit.
    """
    shown = sorted(indices.items(), key=lambda item: (-item[1], item[0]))[:SHOWN]
    top = 1.05 * max([1e-3, limit or 0.0, *(value for _, value in shown)])
    scale = (WIDTH - _LABELS - _RIGHT) / top
    floor = _TOP + _ROW * len(shown)
    name, value = shown[0]
    alt = f"Bars of the population stability index; the largest is {name} with {value:.4f}"
    parts = [_grid(top, scale, floor)]
    if limit is not None:
        parts.append(_limit(_LABELS + scale * limit, floor, limit))
    for row, (name, value) in enumerate(shown):
        kind = "expected" if name in expected else "over" if limit is not None and value > limit else ""
        parts.append(_bar(row, name, value, scale, kind))
    return titled("drift", alt, floor + _FOOT, parts)


def _bar(row: int, name: str, value: float, scale: float, kind: str) -> Markup:
    middle = _TOP + _ROW * row + _ROW / 2
    text = name if len(name) <= 18 else name[:17] + "…"
    return Markup(
        '<text class="end" x="{}" y="{:g}">{}</text>'
        '<rect class="bar {}" x="{}" y="{:g}" width="{:.1f}" height="12"/>'
        '<text class="halo" x="{:.1f}" y="{:g}">{:.3f}{}</text>'
    ).format(
        *(_LABELS - 6, middle + 4, text),
        *(kind, _LABELS, middle - 6, scale * value),
        *(_LABELS + scale * value + 4, middle + 4, value, "*" if kind == "expected" else ""),
    )


def _limit(x: float, floor: int, limit: float) -> Markup:
    line = Markup(
        '<path class="limit" d="M{0:.1f} {1}V{2}"/><text class="mid" x="{0:.1f}" y="{3}">{4}</text>'
    )
    return line.format(x, _TOP - 2, floor, _TOP - 6, f"limit {limit:g}")


def _grid(top: float, scale: float, floor: int) -> Markup:
    line = Markup(
        '<path class="grid" d="M{0:.1f} {1}V{2}"/><text class="mid" x="{0:.1f}" y="{3}">{4:.4g}</text>'
    )
    step = tick_step(top)
    ticks = [step * count for count in range(int(top / step + 1e-9) + 1)]
    parts = [line.format(_LABELS + scale * tick, _TOP, floor, floor + 15, tick) for tick in ticks]
    label = Markup('<text class="mid" x="{:g}" y="{}">population stability index</text>')
    parts.append(label.format(_LABELS + (WIDTH - _LABELS - _RIGHT) / 2, floor + 32))
    return Markup("").join(parts)
