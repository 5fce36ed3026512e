"""What a version was made from, and what allows it to serve."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from mlops_core.domain.descent import Descent, Node
from mlops_core.domain.digest import digest_of
from mlops_core.domain.readable import column_of, figure_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from mlops_core.domain.evidence import Consent
    from mlops_core.domain.gates import GateDecision
    from mlops_core.domain.registry import Lineage, ModelVersion

__all__ = ["approval_node", "decision_node", "descent_of", "moment"]


def descent_of(version: ModelVersion, decision: GateDecision | None, consent: Consent | None) -> Descent:
    """From the events to what allows it to serve: nothing that happened later.

    It goes into the evidence of a release, so the same arguments give the same value. What happened later,
    `descent_with_history` adds.
    """
    lineage = version.lineage
    events = [
        Node(id=f"events.{name}", kind="events", name=name, digest=digest)
        for name, digest in lineage.data.items()
    ]
    made = [_features(version), _training_set(version), _run(version), _version(version)]
    if decision is not None:
        made.append(decision_node(decision, "decision"))
    if consent is not None:
        made.append(approval_node(consent, "approval"))
    edges = [(one.id, made[0].id) for one in events]
    edges += [(one.id, other.id) for one, other in pairwise(made)]
    return Descent(model=version.name, version=version.number, nodes=(*events, *made), edges=tuple(edges))


def decision_node(decision: GateDecision, named: str) -> Node:
    """What the gate decided; the ledger knows when."""
    counts = [
        f"{count} {outcome}"
        for outcome in ("passed", "failed")
        if (count := sum(check.outcome == outcome for check in decision.checks))
    ]
    failed = f" ({', '.join(decision.failed)})" if decision.failed else ""
    against = f"version {decision.champion}" if decision.champion else "no champion"
    facts = (
        ("against", against),
        ("checks", f"{', '.join(counts) or 'none'}{failed}"),
        ("policy", digest_of(decision.policy)[:12]),
    )
    return Node(id=named, kind="decision", name=decision.verdict, digest=decision.digest, facts=facts)


def approval_node(consent: Consent, named: str) -> Node:
    """A person's consent."""
    asked = f"by {consent.asked_by}, {moment(consent.asked_at)}"
    return Node(
        id=named,
        kind="approval",
        name=consent.approved_by,
        digest=consent.request,
        at=consent.approved_at,
        facts=(("why", consent.reason), ("asked", asked)),
    )


def moment(at: datetime) -> str:
    """An instant to the second, for a fact."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _features(version: ModelVersion) -> Node:
    # As it was written, by whichever version of this software: nothing is taken to be there.
    written: Mapping[str, Any] = json.loads(version.use_case)
    views = [view["name"] for view in written.get("views") or ()]
    facts = [("features", str(len(version.feature_names)))]
    if len(views) > 1:
        facts.append(("views", str(len(views))))
    if written.get("service"):
        facts.append(("service", str(written["service"])))
    name, digest = ", ".join(views) or version.name, version.lineage.definitions
    return Node(id="features", kind="features", name=name, digest=digest, facts=tuple(facts))


def _training_set(version: ModelVersion) -> Node:
    lineage = version.lineage
    facts = [("as of", f"{lineage.as_of:%Y-%m-%d}"), ("rows fitted", f"{version.profile.rows:,}")]
    if lineage.as_known_at is not None:
        facts.insert(1, ("as known at", moment(lineage.as_known_at)))
    name, digest = version.name, lineage.training_set
    return Node(id="training set", kind="training set", name=name, digest=digest, facts=tuple(facts))


def _run(version: ModelVersion) -> Node:
    facts = [("candidate", version.candidate), *_place(version.lineage)]
    return Node(id="run", kind="run", name=version.run_id, digest=version.lineage.model, facts=tuple(facts))


def _place(lineage: Lineage) -> list[tuple[str, str]]:
    """The commit, the code and the Python, as far as they were noted."""
    found = [("code", lineage.code[:12])]
    if lineage.git_commit is not None:
        commit, _, dirty = lineage.git_commit.partition("-")
        found.insert(0, ("git", f"{commit[:12]}{' with local changes' if dirty else ''}"))
    if "python" in lineage.environment:
        found.append(("python", lineage.environment["python"]))
    return found


def _version(version: ModelVersion) -> Node:
    written: Mapping[str, Any] = json.loads(version.use_case)
    metric = str((written.get("gate") or {}).get("metric", "roc_auc"))
    facts: tuple[tuple[str, str], ...] = ()
    if metric in version.metrics:
        facts = ((column_of(metric), figure_text(metric, version.metrics[metric])),)
    name, at = f"{version.name} {version.number}", version.created_at
    return Node(id="version", kind="version", name=name, digest=version.digest, at=at, facts=facts)
