"""Scenarios of nightly.yml, and what it hands over to deliver.yml."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.workflows.edits import stand_in
from benchmarks.workflows.scenario import Run, Scenario

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.workflows.world import World

__all__ = ["scenarios"]

_TRAINED = frozenset({"scratch", "comment"})  # those of train.yml that are for pull requests


def scenarios() -> Iterator[Scenario]:
    """All of them."""
    yield Scenario(
        "a retrained version is handed over, and delivered",
        (
            Run("nightly", skipped=_TRAINED, before=lambda world: stand_in(world, "test", "live")),
            Run(
                "deliver",
                lambda world: world.dispatched(),
                skipped=frozenset({"review", "approval", "roll_back"}),
            ),
        ),
        {
            "one deployment, one run dispatched": _handed_over_once,
            "version 1 in Production": lambda world: world.in_production() == 1,
            "the deployment: queued, in progress, success": lambda world: (
                world.statuses() == ["queued", "in_progress", "success"]
            ),
        },
    )


def _handed_over_once(world: World) -> bool:
    state = world.github.state()
    return len(state["deployments"]) == len(state["runs"]) == 1
