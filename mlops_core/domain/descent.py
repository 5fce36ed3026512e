"""Where a version comes from and where it went, as a graph: events, features, training set, run, version,
decision, approval, promotion, release.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from mlops_core.domain.value import Value

__all__ = ["Descent", "Kind", "Node"]

Kind = Literal[
    "events", "features", "training set", "run", "version", "decision", "approval", "promotion", "release"
]


class Node(Value):
    """One thing in the descent of a version.

    `id` tells it from the others of the graph, `name` is for people, `digest` its content where there is one,
    `at` when it came about where that is known. `facts` are captions and values, in reading order.
    """

    id: str
    kind: Kind
    name: str
    digest: str | None = None
    at: datetime | None = None
    facts: tuple[tuple[str, str], ...] = ()

    def with_facts(self, *facts: tuple[str, str]) -> Node:
        """The same with facts at the end; one whose caption is there already takes its place."""
        return self.model_copy(update={"facts": tuple((dict(self.facts) | dict(facts)).items())})


class Descent(Value):
    """The nodes in the order of the way of the data, and the edges (from, to) by id."""

    model: str = Field(description="the model's name")
    version: int
    nodes: tuple[Node, ...]
    edges: tuple[tuple[str, str], ...]

    def parents(self, node: Node) -> tuple[Node, ...]:
        """What a node was made of, or follows from, in order."""
        return tuple(one for one in self.nodes if (one.id, node.id) in self.edges)
