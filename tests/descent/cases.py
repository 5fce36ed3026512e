"""Versions with long and short lives, made by hand."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from mlops_core.domain.digest import digest_of
from mlops_core.domain.gates import Approval, Check, GateDecision, GatePolicy
from mlops_core.domain.history import HistoryVersion, Merged
from mlops_core.domain.ledger import (
    Adopted,
    ApprovalRequested,
    Approved,
    Archived,
    Binding,
    Decided,
    Deployed,
    Draft,
    Entry,
    Promoted,
    Registered,
    RolledBack,
    entries_after,
)
from mlops_core.domain.profiles import FeatureProfile
from mlops_core.domain.registry import Lineage, ModelVersion
from mlops_core.domain.release import Probes
from mlops_core.domain.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_core.domain.ledger import AnyEvent

    Told = tuple[int, AnyEvent] | tuple[int, AnyEvent, str, str]

T = datetime(2026, 3, 1, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
SOURCES = ("purchases", "returns_within_the_legal_period", "web_visits", "customers", "calls")
REGISTERED = Registered(run_id="r", training_set="t", definitions="d", code="c")


def definitions(sources: Sequence[str], features: int) -> dict[str, Any]:
    """A use case as JSON with a view of so many features for each source."""
    return {
        "name": "churn",
        "sources": [
            {"name": name, "event_timestamp": "at", "columns": {"at": "timestamp", "usd": "number"}}
            for name in sources
        ],
        "views": [
            {
                "name": f"{name}_view",
                "source": name,
                "features": [{"name": f"{name[:4]}_{one}", "column": "usd"} for one in range(features)],
            }
            for name in sources
        ],
        "on_demand": [{"name": "trend", "formula": "purc_0 - purc_1"}] if features > 1 else [],
        "label": {"name": "churned"},
    }


def version_of(sources: Sequence[str] = ("purchases",), features: int = 3, **changes: Any) -> ModelVersion:
    """Version 2 of churn; named fields replace its own."""
    written = definitions(sources, features)
    names = [feature["name"] for view in written["views"] for feature in view["features"]]
    names += [one["name"] for one in written["on_demand"]]
    fields: dict[str, Any] = {
        "name": "churn",
        "number": 2,
        "digest": digest_of("model"),
        "candidate": "boosting",
        "run_id": "6d1f0f2c0b5c4a2f8ce7d0d34a0be0b1",
        "created_at": T,
        "use_case": json.dumps(written),
        "feature_names": tuple(names),
        "threshold": 0.4,
        "metrics": {"roc_auc": 0.8237},
        "lineage": lineage_of(sources),
        "probes": Probes(rows=((1.0,),), expected=(0.5,)),
        "profile": FeatureProfile(rows=259_868, features={}),
    }
    return ModelVersion(**(fields | changes))


def lineage_of(sources: Sequence[str] = ("purchases",), **changes: Any) -> Lineage:
    """With everything noted; named fields replace its own."""
    fields: dict[str, Any] = {
        "use_case": "churn",
        "data": {name: digest_of(name) for name in sources},
        "definitions": digest_of("definitions"),
        "training_set": digest_of("rows"),
        "candidate": digest_of("candidate"),
        "code": digest_of("code"),
        "git_commit": "0123456789abcdef0123456789abcdef01234567-dirty",
        "libraries": {"scikit-learn": "1.9.1"},
        "as_of": T,
        "as_known_at": T,
        "model": digest_of("fitted"),
        "environment": {"python": "3.11.7"},
    }
    return Lineage(**(fields | changes))


def version_before_there_was_much(**changes: Any) -> ModelVersion:
    """As older code registered it: with the lineage of its time, and definitions that say little."""
    bare: dict[str, Any] = {
        "git_commit": None,
        "libraries": {},
        "as_known_at": None,
        "model": None,
        "environment": {},
    }
    return version_of(use_case='{"name": "churn"}', lineage=lineage_of(**bare), metrics={}, **changes)


def decision_on(version: ModelVersion, *failed: str, champion: int | None = 1) -> GateDecision:
    """One that fails the named checks."""
    checks = [Check(name="floor", outcome="passed", sentence="it is high enough")]
    checks += [Check(name=name, outcome="failed", sentence="it is not") for name in failed]
    return GateDecision(
        verdict="rejected" if failed else "passed",
        version=version.number,
        model_digest=version.digest,
        champion=champion,
        champion_digest=digest_of(champion) if champion else None,
        checks=tuple(checks),
        policy=GatePolicy(floor=0.5, approval=Approval()),
        code="c",
    )


def question_on(decision: GateDecision) -> ApprovalRequested:
    """What a person is asked."""
    parts = dict.fromkeys(("training_set", "definitions", "code", "policy", "report"), "same")
    binding = Binding(model=decision.model_digest, champion=None, decision=decision.digest, **parts)
    expires = T + timedelta(days=9)
    return ApprovalRequested(binding=binding, terms=Approval(), expires_at=expires, report_path="r")


def standing_after(*told: Told) -> Standing:
    """Where versions stand after events an hour apart: version, event, and who and why where it matters."""
    entries: tuple[Entry, ...] = ()
    for place, (number, event, *words) in enumerate(told):
        actor, reason = words or ("nightly", "because")
        draft = Draft(version=number, model=f"model {number}", event=event, actor=actor, reason=reason)
        last = entries[-1] if entries else None
        entries += entries_after(last, "churn", [draft], now=T + place * HOUR)
    return Standing.of("churn", entries)


def long_life(version: ModelVersion) -> Standing:
    """Promoted with waived checks, rolled back from, decided on anew, approved, promoted again."""
    first, second = decision_on(version, "drift", "one_order"), decision_on(version, champion=1)
    asked = question_on(second)
    number, uri = version.number, f"releases/churn/{version.number}-{version.digest[:12]}"
    waived = ("drift", "one_order")
    approved = Approved(request=asked.binding.digest)
    request = asked.binding.digest
    return standing_after(
        (1, Adopted(stage="Production")),
        (number, REGISTERED),
        (number, Decided(decision=first)),
        (number, Promoted(champion=1, decision=first.digest, waived=waived), "ann", "both grow with time"),
        (1, Archived(successor=number)),
        (number, Deployed(release=uri, content=digest_of("first"))),
        (number, RolledBack(to=1), "ben", "complaints from the shop"),
        (1, Promoted(champion=number)),
        (number, Archived(successor=1)),
        (1, Deployed(release="releases/churn/1", content=digest_of("other"))),
        (number, Decided(decision=second)),
        (number, asked),
        (number, approved, "ann", "read the report; the one-order slice is fine"),
        (number, Promoted(champion=1, decision=second.digest, request=request), "nightly", "approved"),
        (1, Archived(successor=number)),
        (number, Deployed(release=uri, content=digest_of("second"))),
    )


def history_version(name: str, **changes: Any) -> HistoryVersion:
    """The fourth version of a source's history, whose events are those that versions are made from."""
    fields: dict[str, Any] = {
        "number": 4,
        "uri": "features/churn/events.parquet",
        "digest": digest_of(name),
        "file_digest": digest_of("file"),
        "rows": 12_696_597,
        "entities": 23_570,
        "first": T - timedelta(days=500),
        "last": T,
        "stored_at": T - HOUR,
        "how": "whole",
        "given": None,
        "changed": Merged(added=1, removed=0),
        "delivered": 1,
    }
    return HistoryVersion(**(fields | changes))
