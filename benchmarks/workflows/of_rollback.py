"""Scenarios of rollback.yml."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.workflows.scenario import Run, Scenario
from benchmarks.workflows.states import SHOP

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["scenarios"]

_TOLD = {"use_case": SHOP, "reason": "complaints from the shop"}


def scenarios() -> Iterator[Scenario]:
    """All of them."""
    yield Scenario(
        "one click",
        (Run("rollback", _TOLD),),
        {
            "version 1 in Production instead of 2": lambda world: world.in_production() == 1,
            "version 2 comes back only when it is named": lambda world: 2 in world.standing.withdrawn,
        },
        "replaced",
    )
    yield Scenario(
        "nothing to go back to",
        (Run("rollback", _TOLD, failed=frozenset({"rollback"})),),
        {"version 1 serves on": lambda world: world.in_production() == 1},
        "served",
    )
