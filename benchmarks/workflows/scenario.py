"""A scenario: what is there, which workflows are started one after another, and what has to come of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.workflows.world import World

__all__ = ["Run", "Scenario"]


@dataclass(frozen=True)
class Run:
    """One run of a workflow. Jobs that are neither failed nor skipped have to succeed.

    `inputs` and `variables` may be made of what came before, and `before` is what happens first. `disturbing`
    has words that are added to calls of `mlops`, by patterns of the shell's `case` for such a call.
    `environment` has more variables for the processes.
    """

    workflow: str
    inputs: Mapping[str, str] | Callable[[World], Mapping[str, str]] = field(default_factory=dict)
    failed: frozenset[str] = frozenset()
    skipped: frozenset[str] = frozenset()
    event: str = "workflow_dispatch"
    payload: Callable[[World], Mapping[str, Any]] | None = None
    variables: Mapping[str, str] | Callable[[World], Mapping[str, str]] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    disturbing: Mapping[str, str] = field(default_factory=dict)
    environment: Callable[[World], Mapping[str, str]] | None = None
    before: Callable[[World], object] | None = None


@dataclass(frozen=True)
class Scenario:
    """Runs on a copy of the prepared state folder `state` (none: an empty one), and what holds afterwards.

    `held` are sentences and what looks whether they are true.
    """

    name: str
    runs: tuple[Run, ...]
    held: Mapping[str, Callable[[World], bool]]
    state: str = ""

    @property
    def workflow(self) -> str:
        """The workflow that it is about."""
        return self.runs[0].workflow

    @property
    def title(self) -> str:
        """What `--only` looks for."""
        return f"{self.workflow}: {self.name}"
