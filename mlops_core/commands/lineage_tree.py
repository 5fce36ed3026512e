"""The descent of a version as lines of a terminal: what follows from something stands below it."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from mlops_core.commands.output import moment, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_core.domain.descent import Descent, Node

__all__ = ["tree_of"]

_WIDTH = 100  # columns


def tree_of(descent: Descent) -> list[str]:
    """The lines, two or more a node: what it is, then its facts. Digests are cut to twelve digits.

    A node stands below the last one that it follows from. What follows from nothing is bracketed.
    """
    behind: dict[str, list[Node]] = {}
    roots = []
    for node in descent.nodes:
        parents = descent.parents(node)
        if parents:
            behind.setdefault(parents[-1].id, []).append(node)
        else:
            roots.append(node)
    lines: list[str] = []
    for node in roots:
        lines += _lines("┌─ " if node is roots[0] else "├─ ", "│  ", node)
        lines += _below(node, behind, "")
    return lines


def _below(node: Node, behind: dict[str, list[Node]], indent: str) -> Iterator[str]:
    """What follows from a node. It is walked once, since edges lead from earlier nodes to later ones."""
    children = behind.pop(node.id, [])
    for child in children:
        last = child is children[-1]
        rail = "   " if last else "│  "
        has_more = "│" if child.id in behind else " "
        yield from _lines(f"{indent}{'└─ ' if last else '├─ '}", f"{indent}{rail}{has_more}  ", child)
        yield from _below(child, behind, f"{indent}{rail}")


def _lines(first: str, others: str, node: Node) -> Iterator[str]:
    yield f"{first}{_title(node, _WIDTH - len(first))}"
    room, line = max(40, _WIDTH - len(others)), ""
    for caption, value in node.facts:
        fact = f"{caption} {one_line(value)}"
        if line and len(line) + len(fact) + 3 > room:
            yield f"{others}{line}"
            line = ""
        *full, line = textwrap.wrap(f"{line} · {fact}" if line else fact, room, break_on_hyphens=False)
        yield from (f"{others}{one}" for one in full)
    if line:
        yield f"{others}{line}"


def _title(node: Node, room: int) -> str:
    digest = f"  {one_line(node.digest[:12])}" if node.digest else ""
    at = f"  {moment(node.at)}" if node.at else ""
    left = max(20, room - len(f"{node.kind}: {digest}{at}"))
    return f"{node.kind}: {one_line(node.name, left)}{digest}{at}"
