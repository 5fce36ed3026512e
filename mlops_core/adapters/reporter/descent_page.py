"""The descent of a version as one HTML file: the picture, and below it the same in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from mlops_core.adapters.reporter.descent import draw_descent
from mlops_core.adapters.reporter.lettering import clean
from mlops_core.adapters.reporter.pages import page

if TYPE_CHECKING:
    from mlops_core.domain.descent import Descent, Node

__all__ = ["render_descent"]


def render_descent(descent: Descent) -> str:
    """The page; equal arguments give equal text."""
    return page(
        "descent.html.j2",
        title=f"{clean(descent.model)} version {descent.version}: where it comes from and where it went",
        lead=_lead(descent),
        picture=Markup(draw_descent(descent)),  # noqa: S704 - our own drawing, which escapes what it is given
        rows=[_row(descent, node) for node in descent.nodes],
    )


def _lead(descent: Descent) -> str:
    facts = {node.kind: dict(node.facts) for node in descent.nodes}
    stage = facts.get("version", {}).get("stage")
    served = [node for node in descent.nodes if node.kind == "release"]
    said = "From the events that it was made from to the places that it was served from."
    if stage is None:
        return said
    if stage == "not in the ledger":
        return f"The ledger does not have it. {said}"
    where = f" It is served from {clean(served[-1].name)}." if served and _now(served[-1]) else ""
    return f"Its stage is {clean(stage)}.{where} {said}"


def _now(release: Node) -> bool:
    return dict(release.facts).get("until") == "now"


def _row(descent: Descent, node: Node) -> dict[str, Any]:
    return {
        "kind": node.kind,
        "name": clean(node.name),
        "digest": clean(node.digest or ""),
        "at": f"{node.at:%Y-%m-%d %H:%M:%S} UTC" if node.at else "",
        "facts": [(caption, clean(value)) for caption, value in node.facts],
        "after": ", ".join(f"{one.kind} {clean(one.name)}" for one in descent.parents(node)),
    }
