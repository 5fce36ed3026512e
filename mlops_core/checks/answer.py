"""How a check answers: one place where figures become an outcome, and are told to a person."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mlops_core.domain.gates import Check

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["answered", "failed", "not_applicable", "told"]


def answered(
    name: str,
    good: bool,
    sentence: str,
    figures: Mapping[str, float],
    measured: Mapping[str, float] | None = None,
) -> Check:
    """Passed when it is good and every figure is finite; one that is not is told in the sentence alone."""
    measured = measured or {}
    strange = [key for key, value in {**figures, **measured}.items() if not math.isfinite(value)]
    if strange:
        sentence = f"{sentence}; {', '.join(strange)} not being finite, this fails"
    return Check(
        name=name,
        outcome="passed" if good and not strange else "failed",
        sentence=sentence,
        figures=_finite(figures),
        measured=_finite(measured),
    )


def failed(name: str, sentence: str) -> Check:
    """There are no figures to speak of, and there should be."""
    return Check(name=name, outcome="failed", sentence=sentence)


def not_applicable(name: str, sentence: str, **figures: float) -> Check:
    """There is nothing to ask, and the sentence says why."""
    return Check(name=name, outcome="not applicable", sentence=sentence, figures=_finite(figures))


def told(value: float, beside: float | None = None, *, places: int = 4) -> str:
    """A figure as a person reads it, with more decimals where few would hide it or tie it with `beside`."""
    if not math.isfinite(value) or value == int(value):
        return f"{value:,.0f}"
    if not 1e-6 <= abs(value) < 1000:
        return f"{value:,.1f}" if abs(value) > 1 else f"{value:.1e}"
    while places < 12 and (not float(f"{value:.{places}f}") or _tied(value, beside, places)):
        places += 2
    return f"{value:.{places}f}"


def _tied(value: float, beside: float | None, places: int) -> bool:
    return beside is not None and value != beside and f"{value:.{places}f}" == f"{beside:.{places}f}"


def _finite(figures: Mapping[str, float]) -> dict[str, float]:
    return {key: value + 0.0 for key, value in figures.items() if math.isfinite(value)}  # no minus zero
