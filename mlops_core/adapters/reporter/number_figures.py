"""The figures of a report on predicted numbers: what each shows, and a sentence that says what one sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlops_core.adapters.reporter.number_axis import NumberAxis, bend_of
from mlops_core.adapters.reporter.numbers import Bins, Gains
from mlops_core.adapters.reporter.plot import Axis, Curve, Plot
from mlops_core.domain.figures import Figure
from mlops_core.domain.readable import number_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from mlops_core.domain.report import ReportContent

__all__ = ["number_figures"]

_DIAGONAL = Curve(np.array([0.0, 1.0]), np.array([0.0, 1.0]))
_CELLS = 40
_SHADES = 5
_POINTS = 201


def number_figures(content: ReportContent, kinds: Sequence[tuple[str, str]]) -> Iterator[Figure]:
    """In reading order. `kinds` are the candidates, the chosen one first, and how each is drawn."""
    bend = bend_of(content.scores[content.chosen])
    yield _density(content, bend)
    yield _calibration(content, kinds, bend)
    gains = {name: Gains.of(content.labels, content.scores[name]) for name, _ in kinds}
    best = Gains.of(content.labels, content.labels)
    drawn = [(name, kind, curve) for name, kind in kinds if (curve := gains[name]) is not None]
    if best is not None:
        yield _gains(drawn, best)
    yield _errors(content)


def _density(content: ReportContent, bend: float) -> Figure:
    actual, predicted = content.labels, content.scores[content.chosen]
    both = np.concatenate((actual, predicted))
    axis = NumberAxis.over("predicted", both, bend)
    plot = Plot(
        "density",
        f"Cells by predicted and actual number, stronger with more rows, for {content.chosen}; diagonal",
        axis,
        NumberAxis.over("actual", both, bend),
    )
    for shade, corners in enumerate(_shaded(predicted, actual, axis)):
        plot.boxes(corners, (shade + 1) / _SHADES)
    ends = np.array([axis.low, axis.high])
    plot.line(Curve(ends, ends), "reference")
    under = float(np.mean(predicted < actual))
    return Figure(
        title="Predicted and actual",
        svg=plot.svg((axis.low, axis.low)),
        caption=(
            "Each cell is stronger the more rows lie in it, by powers of ten; on the dashed line, what came"
            f" was predicted. {content.chosen} predicts too little for {under:.1%} of rows.{_zeros(actual)}"
            " Both axes are linear near zero and logarithmic further out."
        ),
    )


def _shaded(
    predicted: NDArray[np.float64], actual: NDArray[np.float64], axis: NumberAxis
) -> Iterator[NDArray[np.float64]]:
    """The corners of the cells with rows, (k, 4) for each shade from one row up by powers of ten."""
    edges = axis.edges(_CELLS)
    counts, _, _ = np.histogram2d(predicted, actual, bins=(edges, edges))
    for shade in range(_SHADES):
        beyond = counts >= 10 ** (shade + 1) if shade < _SHADES - 1 else np.zeros_like(counts, dtype=bool)
        column, row = np.nonzero((counts >= 10**shade) & ~beyond)
        yield np.column_stack((edges[column], edges[row], edges[column + 1], edges[row + 1]))


def _calibration(content: ReportContent, kinds: Sequence[tuple[str, str]], bend: float) -> Figure:
    found = {name: Bins.of(content.labels, content.scores[name]) for name, _ in kinds}
    reach = np.concatenate([values for bins in found.values() for values in (bins.predicted, bins.actual)])
    axis = NumberAxis.over("mean prediction of the bin", reach, bend)
    plot = Plot(
        "calibration",
        f"Mean of what came against mean prediction in ten bins, for {content.chosen} and the diagonal",
        axis,
        NumberAxis.over("mean of what came", reach, bend),
    )
    ends = np.array([axis.low, axis.high])
    plot.line(Curve(ends, ends), "reference")
    for name, kind in kinds:
        curve = Curve(found[name].predicted, found[name].actual)
        plot.line(curve, kind)
        plot.dots(curve, kind, 3.5 if kind == "chosen" else 2.0)
        plot.entry(name, kind)
    bins = found[content.chosen]
    worst = int(np.argmax(np.abs(bins.actual - bins.predicted)))
    said, came = number_text(float(bins.predicted[worst])), number_text(float(bins.actual[worst]))
    return Figure(
        title="Calibration",
        svg=plot.svg((axis.value(0.06), axis.value(0.94))),
        caption=(
            "Ten bins of equal count by prediction: on the dashed line, what is predicted is what comes on"
            f" average. The widest gap of {content.chosen} is where it predicts {said} on average, and {came}"
            " came."
        ),
    )


def _gains(drawn: Sequence[tuple[str, str, Gains]], best: Gains) -> Figure:
    name, _, chosen = drawn[0]
    held, most = chosen.held_by(0.2), best.held_by(0.2)
    plot = Plot(
        "gains",
        f"Cumulative gains; the 20% of rows predicted highest hold {held:.0%} of the sum for {name}",
        Axis("rows taken, highest prediction first"),
        Axis("share of the sum they hold"),
    )
    plot.line(_DIAGONAL, "reference")
    plot.line(_thin(best), "reference")
    for other, kind, curve in drawn:
        plot.line(_thin(curve), kind)
        plot.entry(other, kind)
    of_most = f", {chosen.gini / best.gini:.0%} of the most there could be" if best.gini > 0 else ""
    return Figure(
        title="Lift (cumulative gains)",
        svg=plot.svg((0.55, 0.08 + 0.06 * len(drawn))),
        caption=(
            f"The 20% of rows with the highest prediction hold {held:.1%} of the sum: {held / 0.2:.2f} times"
            f" as much as 20% at random; {most:.1%} is the most there could be. The Gini coefficient of this"
            f" order is {chosen.gini:.3f}{of_most}. Dashed: chance and perfection."
        ),
    )


def _thin(gains: Gains) -> Curve:
    """A point each 0.5% of rows, for as long a curve as there may be."""
    if len(gains.rows) <= _POINTS:
        return Curve(gains.rows, gains.held)
    rows = np.linspace(0.0, 1.0, _POINTS)
    return Curve(rows, np.interp(rows, gains.rows, gains.held))


def _errors(content: ReportContent) -> Figure:
    errors = content.labels - content.scores[content.chosen]
    sizes = np.abs(errors)
    reach = float(sizes.max()) or 1.0
    axis = NumberAxis.over("actual minus predicted", np.array([-reach, reach]), bend_of(errors))
    edges = axis.edges(60)
    shares = np.histogram(errors, bins=edges)[0] / len(errors)
    outline = Curve(np.repeat(edges, 2)[1:-1], np.repeat(shares, 2))
    top = 1.1 * float(shares.max())
    plot = Plot(
        "errors",
        f"Histogram of actual minus predicted for {content.chosen}",
        axis,
        Axis("rows", top),
    )
    plot.area(outline, "positive")
    plot.line(outline, "positive")
    plot.line(Curve(np.zeros(2), np.array([0.0, top])), "reference")
    half, tenth = (number_text(float(np.quantile(sizes, share))) for share in (0.5, 0.9))
    mean = float(errors.mean())
    return Figure(
        title="Errors",
        svg=plot.svg((0.0, top)),
        caption=(
            f"How far {content.chosen} is off, on an axis that is linear near zero and logarithmic further"
            f" out: half of rows by less than {half}, one in ten by more than {tenth}. On average it predicts"
            f" {number_text(abs(mean))} {'too little' if mean >= 0 else 'too much'}."
        ),
    )


def _zeros(actual: NDArray[np.float64]) -> str:
    share = float(np.mean(actual == 0))
    return f" What came is 0 for {share:.1%} of them." if share else ""
