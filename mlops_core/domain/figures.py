"""Drawings that travel with a model: made where the rows are, shown wherever the model goes."""

from __future__ import annotations

from mlops_core.domain.value import Value

__all__ = ["Figure", "Figures"]


class Figure(Value):
    """A drawing with its heading and a caption that says what one sees; `svg` is one `<svg>` element."""

    title: str
    svg: str
    caption: str


class Figures(Value):
    """The drawings of one evaluation, in reading order."""

    figures: tuple[Figure, ...] = ()
