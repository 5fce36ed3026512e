"""What stages tell of their progress, as progress artifacts of the task run."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_core.progress import Progress

__all__ = ["listener"]


def listener() -> Callable[[Progress], object] | None:
    """Who listens to the task run of this thread."""
    return None
