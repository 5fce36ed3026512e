"""The figures of a report: what each shows, and a sentence that says what one sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlops_core.adapters.reporter.bars import SHOWN, importance_bars
from mlops_core.adapters.reporter.curves import Ranked, histogram
from mlops_core.adapters.reporter.number_figures import number_figures
from mlops_core.adapters.reporter.numbers import checked
from mlops_core.adapters.reporter.plot import Axis, Curve, Plot
from mlops_core.domain.figures import Figure
from mlops_core.domain.readable import title_of
from mlops_core.metrics import calibration_bins

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlops_core.domain.report import ReportContent

__all__ = ["figures"]

_DIAGONAL = Curve(np.array([0.0, 1.0]), np.array([0.0, 1.0]))


def figures(content: ReportContent) -> list[Figure]:
    """All of them, in reading order. The others' thin lines are drawn on the chosen candidate's thick one."""
    names = sorted(content.scores, key=lambda name: (name != content.chosen, name))
    if content.threshold is None:
        for name in names:
            checked(content.labels, content.scores[name], name)
        drawn = list(number_figures(content, list(zip(names, _kinds(names), strict=True))))
    else:
        drawn = _of_classes(content, names, content.threshold)
    if content.importances:
        drawn.append(_importance(content))
    return drawn


def _of_classes(content: ReportContent, names: Sequence[str], cut: float) -> list[Figure]:
    ranked = [Ranked.of(name, content.labels, content.scores[name]) for name in names]
    drawn = [_roc(ranked, cut), _precision_recall(content, ranked, cut)]
    return [*drawn, _calibration(content, ranked), _gains(content, ranked), _distribution(content, cut)]


def _roc(ranked: Sequence[Ranked], threshold: float) -> Figure:
    best = ranked[0]
    alt = f"ROC curve; area {best.roc_auc:.3f} for {best.name}"
    plot = Plot("roc", alt, Axis("negatives called positive"), Axis("positives found"))
    plot.line(_DIAGONAL, "reference")
    _curves(plot, ranked, Ranked.roc, lambda one: f"{one.name} {one.roc_auc:.3f}")
    wrong, found, _ = best.rates_at(threshold)
    plot.dots(Curve(np.array([wrong]), np.array([found])), "chosen", 4.5)
    return Figure(
        title="Ranking (ROC)",
        svg=plot.svg((0.42, 0.08 + 0.06 * len(ranked))),
        caption=(
            f"In {best.roc_auc:.1%} of pairs of a positive and a negative, {best.name} scores the positive"
            f" higher; chance, the dashed line, would in 50%. At the threshold (dot) it finds {found:.1%} of"
            f" positives and wrongly calls {wrong:.1%} of negatives."
        ),
    )


def _precision_recall(content: ReportContent, ranked: Sequence[Ranked], threshold: float) -> Figure:
    best, share = ranked[0], float(content.labels.mean())
    _, found, right = best.rates_at(threshold)
    alt = f"Precision against recall; precision {right:.2f} at recall {found:.2f} for {best.name}"
    plot = Plot("precision-recall", alt, Axis("positives found (recall)"), Axis("called right (precision)"))
    plot.line(Curve(np.array([0.0, 1.0]), np.array([share, share])), "reference")
    _curves(plot, ranked, Ranked.precision_recall, lambda one: one.name)
    plot.dots(Curve(np.array([found]), np.array([right])), "chosen", 4.5)
    return Figure(
        title="Precision and recall",
        svg=plot.svg((0.06, 0.08 + 0.06 * len(ranked)) if share > 0.4 else (0.5, 0.92)),
        caption=(
            f"Of the rows that {best.name} calls positive at the threshold (dot), {right:.1%} are. Calling"
            f" everyone positive, the dashed line, would be right in {share:.1%}."
        ),
    )


def _calibration(content: ReportContent, ranked: Sequence[Ranked]) -> Figure:
    alt = f"Share of positives against mean score in ten bins, for {content.chosen} and the diagonal"
    plot = Plot("calibration", alt, Axis("mean score of the bin"), Axis("positives in the bin"))
    plot.line(_DIAGONAL, "reference")
    for kind, one in zip(_kinds(ranked), ranked, strict=True):
        bins = calibration_bins(content.labels, content.scores[one.name])
        plot.line(Curve(bins.score, bins.share), kind)
        plot.dots(Curve(bins.score, bins.share), kind, 3.5 if kind == "chosen" else 2.0)
        plot.entry(one.name, kind)
    bins = calibration_bins(content.labels, content.scores[content.chosen])
    gaps = bins.share - bins.score
    worst = int(np.argmax(np.abs(gaps)))
    return Figure(
        title="Calibration",
        svg=plot.svg((0.06, 0.94)),
        caption=(
            "Ten bins of equal count by score: on the dashed line, probabilities are what happens. The widest"
            f" gap of {content.chosen} is where it says {bins.score[worst]:.1%} on average and"
            f" {bins.share[worst]:.1%} are positive."
        ),
    )


def _gains(content: ReportContent, ranked: Sequence[Ranked]) -> Figure:
    best, share = ranked[0], float(content.labels.mean())
    found, most = best.found_in_first(0.2), min(1.0, 0.2 / share)
    alt = f"Cumulative gains; the first 20% of rows hold {found:.0%} of positives for {best.name}"
    plot = Plot("gains", alt, Axis("rows taken, highest score first"), Axis("positives found"))
    plot.line(_DIAGONAL, "reference")
    plot.line(Curve(np.array([0.0, share, 1.0]), np.array([0.0, 1.0, 1.0])), "reference")
    _curves(plot, ranked, Ranked.gains, lambda one: one.name)
    return Figure(
        title="Lift (cumulative gains)",
        svg=plot.svg((0.55, 0.08 + 0.06 * len(ranked))),
        caption=(
            f"The 20% of rows with the highest scores hold {found:.1%} of all positives: {found / 0.2:.2f}"
            f" times as many as 20% at random; {most:.1%} is the most there could be. Dashed: chance and"
            " perfection."
        ),
    )


def _distribution(content: ReportContent, threshold: float) -> Figure:
    scores, positive = content.scores[content.chosen], content.labels == 1
    outlines = {"positive": histogram(scores[positive]), "negative": histogram(scores[~positive])}
    top = 1.1 * max(float(outline.y.max()) for outline in outlines.values())
    alt = f"Histogram of the scores of {content.chosen}, for positives and negatives apart"
    plot = Plot("distribution", alt, Axis("score"), Axis("rows of the class", top))
    for kind, outline in outlines.items():
        plot.area(outline, kind)
        plot.line(outline, kind)
        plot.entry(f"{kind}s", kind)
    cut = min(1.0, max(0.0, threshold))
    plot.line(Curve(np.array([cut, cut]), np.array([0.0, top])), "reference")
    right = float(np.mean(scores[positive] >= threshold))
    wrong = float(np.mean(scores[~positive] >= threshold))
    return Figure(
        title="Scores by class",
        svg=plot.svg((0.06, 0.94 * top)),
        caption=(
            f"Where the scores of {content.chosen} lie, each class making up 100%. Rows to the right of the"
            f" dashed line, the threshold {threshold:.3f}, are called positive: {right:.1%} of"
            f" positives and {wrong:.1%} of negatives."
        ),
    )


def _importance(content: ReportContent) -> Figure:
    strongest = max(content.importances, key=lambda name: content.importances[name][0])
    metric = title_of(content.importance_metric)
    fall, _ = content.importances[strongest]
    alt = f"Bars of feature importance; the largest is {strongest} with {fall:.4f}"
    left_out = len(content.importances) - SHOWN
    rest = f" The {left_out} weakest are not shown." if left_out > 0 else ""
    return Figure(
        title="Feature importance",
        svg=importance_bars("importance", alt, content.importances, f"fall in {metric}"),
        caption=(
            f"Shuffling {strongest} alone costs {content.chosen} {fall:.4f} of {metric}. Whiskers are one"
            f" standard deviation; features that say the same share their importance.{rest}"
        ),
    )


def _curves(
    plot: Plot, ranked: Sequence[Ranked], curve: Callable[[Ranked], Curve], text: Callable[[Ranked], str]
) -> None:
    for kind, one in zip(_kinds(ranked), ranked, strict=True):
        plot.line(curve(one), kind)
        plot.entry(text(one), kind)


def _kinds(drawn: Sequence[object]) -> list[str]:
    return ["chosen", *(f"other-{number % 4}" for number in range(len(drawn) - 1))]
