"""Reports kept as they came: for tests, and for runs that nobody reads about."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

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
