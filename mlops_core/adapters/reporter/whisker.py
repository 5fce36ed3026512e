"""A value with its interval as a dot and a whisker, small enough for a row of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from mlops_core.domain.receipts import Interval

__all__ = ["whisker"]

_WIDTH, _HEIGHT, _PAD = 160, 22, 8


def whisker(interval: Interval, limit: float | None, unskilled: float | None) -> Markup:
    """On a scale of its own, with a line at the policy's limit and a tick at what takes no skill.

    Hidden from those who have the page read out: the figures stand beside it.
    """
    marks = [mark for mark in (limit, unskilled) if mark is not None]
    low, high = min([interval.low, *marks]), max([interval.high, *marks])
    span = high - low or 1.0

    def at(value: float) -> float:
        return _PAD + (value - low) / span * (_WIDTH - 2 * _PAD)

    middle = _HEIGHT / 2
    parts = [Markup('<path class="grid" d="M0 {:g}H{}"/>').format(middle, _WIDTH)]
    if unskilled is not None:
        parts.append(Markup('<path class="unskilled" d="M{:.1f} 6v10"/>').format(at(unskilled)))
    if limit is not None:
        parts.append(Markup('<path class="limit" d="M{:.1f} 1v20"/>').format(at(limit)))
    parts.append(
        Markup(
            '<path class="reach chosen" d="M{0:.1f} {2:g}H{1:.1f}M{0:.1f} 6v10M{1:.1f} 6v10"/>'
            '<circle class="dot chosen" cx="{3:.1f}" cy="{2:g}" r="3.5"/>'
        ).format(at(interval.low), at(interval.high), middle, at(interval.value))
    )
    return Markup('<svg class="inrow" aria-hidden="true" viewBox="0 0 {} {}">{}</svg>').format(
        _WIDTH, _HEIGHT, Markup("").join(parts)
    )
