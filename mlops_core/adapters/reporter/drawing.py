"""A figure as a picture of its own, for pages that are not ours."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from markupsafe import Markup

from mlops_core.adapters.reporter.pages import page

if TYPE_CHECKING:
    from mlops_core.domain.figures import Figure

__all__ = ["drawing"]


def drawing(figure: Figure) -> str:
    """The figure as an SVG document: in light colours on white, whatever it is put on."""
    found = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', figure.svg)
    assert found is not None, "every drawing of ours says its size"  # noqa: S101 - ours, see `plot.titled`
    width, height = found.groups()
    return page("drawing.svg.j2", width=width, height=height, drawing=Markup(figure.svg))  # noqa: S704 - ours
