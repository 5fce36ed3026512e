"""Random pipelines for the exporters: any shape, names with odd characters, every option."""

from __future__ import annotations

import string
from typing import Any

from hypothesis import strategies as st

from mlops_core.dag import PipelineDAG, RetryPolicy, Task
from mlops_core.domain.pipeline import Parameter
from mlops_core.errors import Conflict, TaskTimedOut, Unavailable

__all__ = ["dags", "forms", "names"]

ODD = " .-_/\\:;,'\"`$%&|<>(){}[]!?*#@~^=+éßΩ漢字🦆"


def nothing(context: object) -> None:
    """What every task of a random pipeline runs."""


names = st.one_of(
    st.text(string.ascii_lowercase + "_.", min_size=1, max_size=12),
    st.text(string.ascii_letters + string.digits + ODD, min_size=1, max_size=30),
    st.sampled_from(
        ["on", "no", "null", "1", "1.0", "{{ x }}", "${{ x }}", "{% raw %}", "a\tb", "a\nb", "x" * 300]
    ),
)
"""Names of tasks: plain ones, odd ones, and those that some format takes for something else."""

retries = st.builds(
    RetryPolicy,
    attempts=st.integers(1, 60),
    delay_seconds=st.sampled_from([0.0, 0.5, 1.0, 30.0]),
    backoff=st.sampled_from([1.0, 1.5, 2.0]),
    max_delay_seconds=st.sampled_from([0.0, 60.0, 3600.0]),
    jitter=st.sampled_from([0.0, 0.2, 1.0]),
    retry_on=st.sampled_from([(Unavailable,), (), (OSError, Conflict), (TaskTimedOut,), (Exception,)]),
)


@st.composite
def dags(draw: st.DrawFn, task_names: st.SearchStrategy[str] = names) -> PipelineDAG:
    """A DAG of up to eight tasks, listed in any order."""
    found = draw(st.lists(task_names.filter(lambda name: name != "execution_order"), unique=True, max_size=8))
    tasks = [
        Task(
            name,
            nothing,
            tuple(draw(st.lists(st.sampled_from(found[:place]), unique=True))) if place else (),
            retry=draw(retries),
            timeout_seconds=draw(st.sampled_from([None, 0.5, 90.0, 86400.0])),
            tags=tuple(draw(st.lists(st.text(max_size=8), max_size=2, unique=True))),
            description=draw(st.text(max_size=40)),
        )
        for place, name in enumerate(found)
    ]
    return PipelineDAG(draw(st.permutations(tasks)))


KINDS: dict[str, st.SearchStrategy[Any]] = {
    "text": st.none() | st.text(max_size=20),
    "path": st.none() | st.sampled_from(["events.parquet", "data/*.csv", "a b/'c'.csv"]),
    "date": st.none() | st.dates().map(str),
    "number": st.none() | st.floats(-1e6, 1e6),
    "integer": st.none() | st.integers(-(10**6), 10**6),
    "flag": st.booleans(),
}


@st.composite
def forms(draw: st.DrawFn) -> tuple[Parameter, ...]:
    """Parameters of all kinds, with defaults and descriptions."""
    found = draw(st.lists(st.from_regex(r"[a-z][a-z0-9_]{0,15}", fullmatch=True), unique=True, max_size=5))
    kinds = [draw(st.sampled_from(sorted(KINDS))) for _ in found]
    return tuple(
        Parameter(name=name, kind=kind, default=draw(KINDS[kind]), description=draw(st.text(max_size=40)))
        for name, kind in zip(found, kinds, strict=True)
    )
