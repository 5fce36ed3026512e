"""One step of a pipeline: a name, what it runs, and what must have finished before."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from threading import TIMEOUT_MAX
from typing import Any

from mlops_core.dag.retry import RetryPolicy
from mlops_core.errors import DefinitionError

__all__ = ["Context", "Task"]

Context = dict[str, Any]
"""What the tasks of one run share: the caller's values, and each finished task's result by its name."""

_ONE_ATTEMPT = RetryPolicy()


@dataclass(frozen=True, slots=True)
class Task:
    """`run(context)` is called once all of `upstream` have finished; what it returns is the task's result.

    `timeout_seconds` limits each attempt, not their sum. `tags` and `description` are for people and
    exporters. Lists are taken for `upstream` and `tags` and kept as tuples.

    Raises `DefinitionError` (a `ValueError`) for a value that cannot be meant.
    """

    name: str
    run: Callable[[Context], Any]
    upstream: tuple[str, ...] = ()
    retry: RetryPolicy = field(default=_ONE_ATTEMPT, kw_only=True)
    timeout_seconds: float | None = field(default=None, kw_only=True)
    tags: tuple[str, ...] = field(default=(), kw_only=True)
    description: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise DefinitionError(f"a task's name must be a text that is not empty, not {self.name!r}")
        if not callable(self.run):
            raise DefinitionError(
                f"task {self.name!r}: run must be callable with the context, not {self.run!r}"
            )
        if type(self.upstream) is not tuple or self.upstream:
            object.__setattr__(self, "upstream", self._names("upstream", self.upstream))
        if type(self.tags) is not tuple or self.tags:
            object.__setattr__(self, "tags", self._names("tags", self.tags))
        if not isinstance(self.retry, RetryPolicy):
            raise DefinitionError(f"task {self.name!r}: retry must be a RetryPolicy, not {self.retry!r}")
        if self.timeout_seconds is not None:
            self._check_timeout(self.timeout_seconds)

    def _names(self, what: str, given: Iterable[str]) -> tuple[str, ...]:
        # A bare text is iterable too: "ab" would be read as the two names "a" and "b".
        names = tuple(given) if isinstance(given, Iterable) and not isinstance(given, str) else None
        if names is None or not all(isinstance(name, str) for name in names):
            raise DefinitionError(f"task {self.name!r}: {what} must be a tuple of texts, not {given!r}")
        return names

    def _check_timeout(self, seconds: float) -> None:
        number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
        if not number or not 0 < seconds <= TIMEOUT_MAX:
            raise DefinitionError(
                f"task {self.name!r}: timeout_seconds must be above 0 and at most {TIMEOUT_MAX:g},"
                f" or None for no limit, not {seconds!r}"
            )
