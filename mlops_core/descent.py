"""The graph of a version: what it was made from, what was decided on it, and where it was served."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from mlops_core.domain.descent import Descent, Node

if TYPE_CHECKING:
    from mlops_core.domain.evidence import Consent
    from mlops_core.domain.gates import GateDecision
    from mlops_core.domain.registry import ModelVersion

__all__ = ["descent_of"]


def descent_of(version: ModelVersion, decision: GateDecision | None, consent: Consent | None) -> Descent:
    """From the events to what allows it to serve; what happened later, `mlops lineage` adds."""
    lineage = version.lineage
    views = json.loads(version.use_case).get("views", ())  # as it was written, by whichever version of this
    events = [
        Node(id=f"events.{name}", kind="events", name=name, digest=digest)
        for name, digest in lineage.data.items()
    ]
    features = Node(id="features", kind="features", name=", ".join(view["name"] for view in views))
    rows = Node(id="training set", kind="training set", name=version.name, digest=lineage.training_set)
    run = Node(id="run", kind="run", name=version.run_id)
    made = Node(id="version", kind="version", name=f"{version.name} {version.number}", digest=version.digest)
    nodes, edges = [*events, features, rows, run, made], [(one.id, "features") for one in events]
    edges += [("features", "training set"), ("training set", "run"), ("run", "version")]
    if decision is not None:
        nodes.append(Node(id="decision", kind="decision", name=decision.verdict, digest=decision.digest))
        edges.append(("version", "decision"))
    if consent is not None:
        nodes.append(Node(id="approval", kind="approval", name=consent.approved_by, digest=consent.request))
        edges.append(("decision", "approval"))
    return Descent(model=version.name, version=version.number, nodes=tuple(nodes), edges=tuple(edges))
