"""The way out: first the world is told, then the door closes, then what is under way ends."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Drain"]


class Drain:
    """Whether this server is about to stop, which takes `seconds` from when it began.

    Meanwhile it is not ready, so that balancers send callers elsewhere, but still answers those who come.
    """

    def __init__(self, seconds: float = 0.0, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._over_at: float | None = None

    @property
    def began(self) -> bool:
        """Whether the server is about to stop."""
        return self._over_at is not None

    @property
    def over(self) -> bool:
        """Whether nobody may come any more."""
        return self._over_at is not None and self._clock() >= self._over_at

    def begin(self) -> None:
        """Stop being ready; a second time, let nobody come any more."""
        self._over_at = self._clock() + (0.0 if self.began else self._seconds)
