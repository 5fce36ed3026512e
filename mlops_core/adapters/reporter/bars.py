"""Feature importances as horizontal bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from mlops_core.adapters.reporter.plot import WIDTH, tick_step, titled

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SHOWN", "importance_bars"]

SHOWN = 20
"""Bars at most; a long tail of features that matter to nobody is left out."""

_ROW, _TOP, _FOOT, _LABELS, _RIGHT = 22, 6, 40, 132, 30


def importance_bars(key: str, alt: str, importances: Mapping[str, tuple[float, float]], what: str) -> Markup:
    """A bar for each mean, largest first, with a whisker of one standard deviation to both sides.

    `what` they measure, such as "fall in ROC AUC", stands below.
    """
    shown = sorted(importances.items(), key=lambda item: (-item[1][0], item[0]))[:SHOWN]
    top = max(1e-4, *(mean + deviation for _, (mean, deviation) in shown))
    scale = (WIDTH - _LABELS - _RIGHT) / top
    height = _TOP + _ROW * len(shown) + _FOOT
    parts = [_grid(top, scale, height - _FOOT, what)]
    parts += [_bar(row, name, *figures, scale) for row, (name, figures) in enumerate(shown)]
    return titled(key, alt, height, parts)


def _bar(row: int, name: str, mean: float, deviation: float, scale: float) -> Markup:
    middle = _TOP + _ROW * row + _ROW / 2
    low, high = (_LABELS + scale * max(0.0, end) for end in (mean - deviation, mean + deviation))
    text = name if len(name) <= 18 else name[:17] + "…"
    return Markup(
        '<text class="end" x="{}" y="{:g}">{}</text>'
        '<rect class="bar" x="{}" y="{:g}" width="{:.1f}" height="{}"/>'
        '<path class="whisker" d="M{:.1f} {:g}H{:.1f}"/>'
    ).format(
        *(_LABELS - 6, middle + 4, text),
        *(_LABELS, middle - 7, scale * max(0.0, mean), 14),
        *(low, middle, high),
    )


def _grid(top: float, scale: float, floor: float, what: str) -> Markup:
    step = tick_step(top)
    line = Markup(
        '<path class="grid" d="M{0:.1f} {1}V{2:g}"/><text class="mid" x="{0:.1f}" y="{3:g}">{4:.4g}</text>'
    )
    ticks = [step * count for count in range(int(top / step + 1e-9) + 1)]
    parts = [line.format(_LABELS + scale * tick, _TOP, floor, floor + 15, tick) for tick in ticks]
    label = Markup('<text class="mid" x="{}" y="{:g}">{}</text>')
    parts.append(label.format(_LABELS + (WIDTH - _LABELS - _RIGHT) / 2, floor + 32, what))
    return Markup("").join(parts)
