"""Values that stand in a plan for those that a task has yet to make."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mlops_core.domain.digest import digest_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_core.domain.inputs import Inputs

__all__ = ["INSTANT", "Unknown"]

INSTANT = datetime(9000, 1, 1, tzinfo=UTC)
"""Stands for the day that a run knows, where that is in events that were not read yet."""


class Unknown:
    """Which task makes what each of these values stands for."""

    def __init__(self) -> None:
        self._makers = {INSTANT.isoformat(): "feature_store"}

    def mark(self, task: str, what: str = "result") -> str:
        """A value for something that `task` makes."""
        value = f"?{task}: {what}"
        self._makers[value] = task
        return value

    def also(self, value: str, task: str) -> None:
        """Take a value that was computed from marks, such as their digest, for one as well."""
        self._makers[value] = task

    def maker(self, value: object) -> str | None:
        """The task that makes it; None for a value that is known."""
        return self._makers.get(value) if isinstance(value, str) else None

    def makers(self, inputs: Inputs) -> tuple[str, ...]:
        """The tasks that make what is not known of these inputs, each once."""
        values = [*inputs.data.values(), *inputs.parameters.values()]
        return tuple(dict.fromkeys(task for value in values if (task := self.maker(value)) is not None))

    def fits(self, kept: Inputs, wanted: Inputs) -> bool:
        """Whether `wanted` may turn out to be `kept`: all that is known of it is the same."""
        exact = ("definitions", "code", "libraries")
        if any(digest_of(getattr(kept, part)) != digest_of(getattr(wanted, part)) for part in exact):
            return False
        return self._alike(kept.data, wanted.data) and self._alike(kept.parameters, wanted.parameters)

    def _alike(self, kept: Mapping[str, object], wanted: Mapping[str, object]) -> bool:
        return kept.keys() == wanted.keys() and all(
            kept[name] == value or self.maker(value) is not None for name, value in wanted.items()
        )
