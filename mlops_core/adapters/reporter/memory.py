"""Reports kept as they came: for tests, and for runs that nobody reads about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_core.domain.figures import Figures

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_core.domain.descent import Descent
    from mlops_core.domain.evidence import Evidence
    from mlops_core.domain.figures import Figure
    from mlops_core.domain.report import ReportContent

__all__ = ["MemoryReporter"]


class MemoryReporter:
    """A `Reporter` that draws nothing: `written` holds (content, path) of each call, oldest first."""

    def __init__(self) -> None:
        self.written: list[tuple[ReportContent, Path]] = []

    def write(self, content: ReportContent, path: Path) -> None:
        """Keep the content, and write its title to `path`, where callers expect a file."""
        self.written.append((content, path))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content.title + "\n", encoding="utf-8")

    def figures(self, content: ReportContent) -> Figures:  # noqa: ARG002 - nothing is drawn
        """None."""
        return Figures()

    def image(self, figure: Figure) -> str:
        """What was handed in."""
        return figure.svg

    def write_evidence(self, evidence: Evidence, figures: Figures, path: Path) -> None:  # noqa: ARG002
        """Write whose evidence it is to `path`."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{evidence.name} {evidence.version}\n", encoding="utf-8")

    def write_descent(self, descent: Descent, path: Path) -> None:
        """Write whose descent it is to `path`."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{descent.model} {descent.version}\n", encoding="utf-8")
