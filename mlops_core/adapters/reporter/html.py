"""Model reports as one HTML file: no script, no picture, no font or style from elsewhere.

Reads on a phone, on paper, in light and in dark; the same content gives the same bytes.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from uuid import uuid4

import numpy as np

from mlops_core.adapters.reporter.descent_page import render_descent
from mlops_core.adapters.reporter.drawing import drawing
from mlops_core.adapters.reporter.evidence import render_evidence
from mlops_core.adapters.reporter.figures import figures
from mlops_core.adapters.reporter.pages import page
from mlops_core.adapters.reporter.tables import confusion, metric_rows, number_bins, validation_table
from mlops_core.domain.figures import Figures
from mlops_core.domain.readable import figure_text, interval_text, number_text, title_of

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_core.domain.descent import Descent
    from mlops_core.domain.evidence import Evidence
    from mlops_core.domain.figures import Figure
    from mlops_core.domain.report import ReportContent

__all__ = ["HtmlReporter", "render"]


class HtmlReporter:
    """A `Reporter` of HTML files, written atomically: readers see the old one or the new one."""

    def write(self, content: ReportContent, path: Path) -> None:
        """See `Reporter.write`; makes the folder, too.

        Raises `BadInput` for scores that are not finite, `DataError` when there is one class only.
        """
        _replace(path, render(content))

    def figures(self, content: ReportContent) -> Figures:
        """See `Reporter.figures`; raises as `write` does."""
        return Figures(figures=tuple(figures(content)))

    def image(self, figure: Figure) -> str:
        """See `Reporter.image`."""
        return drawing(figure)

    def write_evidence(self, evidence: Evidence, figures: Figures, path: Path) -> None:
        """See `Reporter.write_evidence`."""
        _replace(path, render_evidence(evidence, figures))

    def write_descent(self, descent: Descent, path: Path) -> None:
        """See `Reporter.write_descent`."""
        _replace(path, render_descent(descent))


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        with aside.open("xb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def render(content: ReportContent) -> str:
    """The page."""
    drawn = figures(content)  # first: it is what refuses labels of one class
    return page(
        "report.html.j2",
        content=content,
        summary=_summary(content),
        metrics=metric_rows(content),
        validation=validation_table(content),
        confusion=None if content.threshold is None else confusion(content, content.threshold),
        bins=number_bins(content),
        figures=drawn,
    )


def _summary(content: ReportContent) -> str:
    said = _rows_in_words(content)
    if not content.metrics:
        return said
    metric, interval = next(iter(content.metrics.items()))
    if content.threshold is None:
        value, between = figure_text(metric, interval.value), interval_text(metric, interval)
    else:
        value, between = f"{interval.value:.3f}", f"{interval.low:.3f} to {interval.high:.3f}"
    reached = f"{content.chosen} reaches {title_of(metric)} {value}"
    return f"{said} On them {reached}, with an interval from {between}."


def _rows_in_words(content: ReportContent) -> str:
    labels, rows = content.labels, len(content.labels)
    if content.threshold is not None:
        positives = int(labels.sum())
        return f"Of {rows:,} rows, {positives:,} ({positives / rows:.1%}) are positive."
    mean, median, most = (number_text(float(one)) for one in (labels.mean(), np.median(labels), labels.max()))
    zero = float(np.mean(labels == 0))
    nothing = f" {zero:.1%} of them are 0." if zero else ""
    came = f"{mean} on average, {median} in the middle and {most} at most"
    return f"What came for {rows:,} rows is {came}.{nothing}"
