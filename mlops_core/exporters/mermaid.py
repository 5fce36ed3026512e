"""A DAG as a Mermaid flowchart, which GitHub and most documentation tools draw."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlops_core.dag import PipelineDAG

__all__ = ["to_mermaid"]


def to_mermaid(dag: PipelineDAG) -> str:
    """The flowchart's text: a node per task in topological order, an edge per dependency.

    Nodes are numbered, so that any task name is safe. The same DAG gives the same text.
    """
    number = {task.name: f"t{position}" for position, task in enumerate(dag)}
    nodes = [f'    {number[task.name]}["{_escaped(task.name)}"]' for task in dag]
    edges = [f"    {number[name]} --> {number[task.name]}" for task in dag for name in task.upstream]
    return "\n".join(["flowchart LR", *nodes, *edges, ""])


def _escaped(name: str) -> str:
    # Mermaid takes HTML entities by number, written with a hash: see "Entity codes" in its documentation.
    return "".join(char if char.isalnum() or char in " ._-" else f"#{ord(char)};" for char in name)
