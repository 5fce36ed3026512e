"""An axis of numbers with long tails: linear around zero, logarithmic further out, by the inverse of sinh.

Amounts are often zero, mostly small and now and then huge; a logarithm has no zero, and no negative numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from mlops_core.adapters.reporter.plot import tick_step

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["NumberAxis", "bend_of"]

_APART = 0.115  # share of the axis between two ticks, for the labels to stand apart
_FEWEST = 3


def bend_of(values: NDArray[np.float64]) -> float:
    """Where such an axis turns from linear to logarithmic: what values (n,) commonly are, without sign."""
    sizes = np.abs(values[values != 0])
    return float(np.median(sizes)) if len(sizes) else 1.0


@dataclass(frozen=True, slots=True)
class NumberAxis:
    """An axis from `low` to `high`, which turns logarithmic at about `bend` from zero."""

    label: str
    low: float
    high: float
    bend: float

    @classmethod
    def over(cls, label: str, values: NDArray[np.float64], bend: float) -> Self:
        """One that reaches over all values; over a little more where they are all the same."""
        low, high = float(np.min(values)), float(np.max(values))
        if low == high:
            pad = abs(low) / 10 or 1.0
            low, high = low - pad, high + pad
        return cls(label, low, high, bend)

    def at(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where values lie, as shares of the axis."""
        start, end = self._bent(self.low), self._bent(self.high)
        return (self._bent(values) - start) / (end - start)

    def value(self, share: float) -> float:
        """The number at a share of the axis."""
        start, end = self._bent(self.low), self._bent(self.high)
        return float(self.bend * np.sinh(start + share * (end - start)))

    def edges(self, cells: int) -> NDArray[np.float64]:
        """The ends (cells + 1,) of cells that look equally wide; the outer two are the axis's own."""
        inner = [self.value(number / cells) for number in range(1, cells)]
        return np.array([self.low, *inner, self.high])

    def ticks(self) -> list[float]:
        """Round numbers that stand apart: zero and powers of ten before fives and twos."""
        kept: list[float] = []
        for tick in self._round():
            here = float(self.at(np.array(tick)))
            if all(abs(here - float(self.at(np.array(other)))) >= _APART for other in kept):
                kept.append(tick)
        return kept if len(kept) >= _FEWEST else self._even()

    def text(self, tick: float) -> str:
        """What stands at a tick."""
        for size, sign in ((1e9, "B"), (1e6, "M")):
            if abs(tick) >= size:
                return f"{tick / size:.4g}{sign}"
        return f"{tick:,.6g}"

    def _round(self) -> list[float]:
        most = int(np.ceil(np.log10(max(abs(self.low), abs(self.high)))))
        least = int(np.floor(np.log10(self.bend))) - 1
        sizes = [times * 10.0**power for times in (1, 5, 2) for power in range(most, least - 1, -1)]
        ticks = [0.0, *(sign * size for size in sizes for sign in (1, -1))]
        return [tick for tick in ticks if self.low <= tick <= self.high]

    def _even(self) -> list[float]:
        """Of numbers far from zero and close together."""
        step = tick_step(self.high - self.low)
        first, last = int(np.ceil(self.low / step)), int(np.floor(self.high / step))
        return [step * count for count in range(first, last + 1)]

    def _bent(self, values: NDArray[np.float64] | float) -> NDArray[np.float64]:
        return np.asarray(np.arcsinh(np.asarray(values) / self.bend))
