"""How long it would take, by what it took before."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_core.dag import PipelineDAG
    from mlops_core.domain.journal import Use

__all__ = ["longest_path", "usual"]


def usual(use: Use | None) -> float | None:
    """The median of the times, in seconds, that a stage worked; None when it never did."""
    return median(one.seconds for one in use.worked) if use is not None and use.worked else None


def longest_path(dag: PipelineDAG, seconds: Mapping[str, float | None]) -> float | None:
    """The longest way through the DAG, in seconds, of the tasks that have a time; None when none has."""
    if all(one is None for one in seconds.values()):
        return None
    ends: dict[str, float] = {}
    for task in dag:
        begin = max((ends[name] for name in task.upstream), default=0.0)
        ends[task.name] = begin + (seconds.get(task.name) or 0.0)
    return max(ends.values(), default=0.0)
