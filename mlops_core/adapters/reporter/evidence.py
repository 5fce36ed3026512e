"""Evidence packs as one HTML file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlops_core.domain.evidence import Evidence
    from mlops_core.domain.figures import Figures

__all__ = ["render_evidence"]


def render_evidence(evidence: Evidence, figures: Figures) -> str:
    """The page."""
    drawn = "".join(figure.svg for figure in figures.figures)
    return f"<!doctype html><title>{evidence.name} {evidence.version}</title>{drawn}"
