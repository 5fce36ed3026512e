"""The plots of a report as Markdown that any page can show: pictures that lie in the text itself.

Prefect keeps no files, and a browser elsewhere reads none of this machine. Both of its UIs show `data:` URIs
in Markdown, and neither an `<svg>` that stands there by itself.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from pydantic import ValidationError

from mlops_core.domain.figures import Figures

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mlops_core.ports import Reporter

__all__ = ["FIGURES", "plots"]

FIGURES = "figures.json"
"""Lies beside the report."""


def plots(reporter: Reporter, report: Path) -> Iterator[str]:
    """A heading, a picture and a caption for each plot of the report; none where only the report is."""
    try:
        drawn = Figures.model_validate_json((report.parent / FIGURES).read_bytes())
    except (OSError, ValidationError):  # gone, or of another version of this software: the page is there
        return
    for figure in drawn.figures:
        picture = base64.b64encode(reporter.image(figure).encode()).decode()
        shown = f"![{figure.title}](data:image/svg+xml;base64,{picture})"
        yield f"### {figure.title}\n\n{shown}\n\n{figure.caption}"
