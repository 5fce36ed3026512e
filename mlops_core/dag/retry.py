"""How often a task is attempted, how long is waited in between, and after which errors.

The policy only says; whoever runs the task obeys. The in-process runner asks `retries` and
`wait_seconds`, another orchestrator takes `attempts`, `delays()`, `jitter` and `retries` over into its
own settings. Never both, or attempts multiply.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from threading import TIMEOUT_MAX

from mlops_core.errors import BadInput, DefinitionError, IntegrityError, Unavailable

__all__ = ["RetryPolicy"]


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """At most `attempts` attempts, waiting `delay_seconds` first and `backoff` times longer each time.

    `jitter` is the largest fraction by which a wait is shortened at random, so that many waiters do not
    come back together; 1.0 is the "full jitter" of M. Brooker, "Exponential Backoff And Jitter" (AWS
    Architecture Blog, 2015). It only shortens: no wait is longer than `max_delay_seconds`.

    `retry_on` names the errors after which another attempt is worth it. `BadInput` and `IntegrityError`
    are never among them, whatever it says: the same input gives the same answer. A time-out is retried
    only when `TaskTimedOut` is named, because the attempt that was given up may still be running.

    Raises `DefinitionError` for a value that cannot be meant.
    """

    attempts: int = 1
    delay_seconds: float = 1.0
    backoff: float = 2.0
    max_delay_seconds: float = 60.0
    jitter: float = 0.0
    retry_on: tuple[type[Exception], ...] = (Unavailable,)

    def __post_init__(self) -> None:
        if not isinstance(self.attempts, int) or isinstance(self.attempts, bool) or self.attempts < 1:
            raise DefinitionError(f"attempts must be a whole number from 1, not {self.attempts!r}")
        _within("delay_seconds", self.delay_seconds, 0.0, TIMEOUT_MAX)
        _within("backoff", self.backoff, 1.0, math.inf)
        _within("max_delay_seconds", self.max_delay_seconds, 0.0, TIMEOUT_MAX)
        _within("jitter", self.jitter, 0.0, 1.0)
        if isinstance(self.retry_on, list):
            object.__setattr__(self, "retry_on", tuple(self.retry_on))
        if not isinstance(self.retry_on, tuple) or not all(map(_is_error_type, self.retry_on)):
            raise DefinitionError(
                f"retry_on must be a tuple of Exception types, such as (Unavailable,), not {self.retry_on!r}"
            )

    def delays(self) -> tuple[float, ...]:
        """Seconds to wait after the first, second, … failed attempt, `attempts - 1` of them, no jitter."""
        return tuple(self._delay_after(attempt) for attempt in range(1, self.attempts))

    def retries(self, error: BaseException) -> bool:
        """Whether another attempt is worth it after `error`, if any attempt is left."""
        return isinstance(error, self.retry_on) and not isinstance(error, BadInput | IntegrityError)

    def wait_seconds(self, attempt: int) -> float:
        """Seconds to wait after the failed attempt of this number (from 1), jitter included."""
        return self._delay_after(attempt) * (1.0 - self.jitter * random.random())  # noqa: S311 - no secret

    def _delay_after(self, attempt: int) -> float:
        try:
            delay = self.delay_seconds * self.backoff ** (attempt - 1)
        except OverflowError:
            delay = self.max_delay_seconds if self.delay_seconds else 0.0
        return float(min(delay, self.max_delay_seconds))


def _within(field: str, value: float, low: float, high: float) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not low <= value <= high:
        top = "" if high == math.inf else f" to {high:g}"
        raise DefinitionError(f"{field} must be a finite number from {low:g}{top}, not {value!r}")


def _is_error_type(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Exception)
