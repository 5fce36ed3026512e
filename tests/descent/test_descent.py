"""The graph of a version: what it was made from alone, and with everything that happened later."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_core.descent import (
    descent_of,
    descent_with_events,
    descent_with_history,
    descent_with_target,
)
from mlops_core.domain.digest import digest_of
from mlops_core.domain.ledger import (
    Adopted,
    ApprovalRequested,
    Approved,
    Archived,
    Decided,
    Deployed,
    Promoted,
    Refused,
    RolledBack,
)
from mlops_core.domain.standing import Standing
from mlops_core.evidence import consent_of
from mlops_core.promotion.grounds import Grounds
from tests.descent.cases import (
    REGISTERED,
    SOURCES,
    T,
    decision_on,
    history_version,
    long_life,
    question_on,
    standing_after,
    version_before_there_was_much,
    version_of,
)

if TYPE_CHECKING:
    from mlops_core.domain.descent import Descent, Node
    from mlops_core.domain.registry import ModelVersion
    from tests.descent.cases import Told

VERSION = version_of(SOURCES, features=12)


def told(version: ModelVersion, standing: Standing) -> Descent:
    """The descent with its history, as the command makes it."""
    grounds = Grounds.of(standing, version.number)
    made = descent_of(version, grounds.decision, consent_of(grounds.request))
    return descent_with_history(made, standing)


def kinds(descent: Descent) -> list[str]:
    """The kinds of the nodes in order."""
    return [node.kind for node in descent.nodes]


def only(descent: Descent, kind: str) -> Node:
    """The node of a kind that there is one of."""
    (found,) = (node for node in descent.nodes if node.kind == kind)
    return found


def test_the_way_of_the_data_is_one_chain_behind_all_events() -> None:
    """Every source leads to the features; each thing after them to the next."""
    descent = descent_of(VERSION, decision_on(VERSION), None)
    assert kinds(descent) == ["events"] * 5 + ["features", "training set", "run", "version", "decision"]
    assert [one.name for one in descent.parents(only(descent, "features"))] == list(SOURCES)
    for kind, before in (("training set", "features"), ("run", "training set"), ("version", "run")):
        assert descent.parents(only(descent, kind)) == (only(descent, before),)
    assert dict(only(descent, "features").facts) == {"features": "61", "views": "5"}
    assert dict(only(descent, "run").facts)["git"] == "0123456789ab with local changes"


def test_what_happened_later_is_no_part_of_a_release() -> None:
    """By the same decision and consent the bytes are the same before and after the promotion."""
    whole = long_life(VERSION)
    texts = set()
    for count in (13, 14, len(whole.entries)):  # approved, promoted, served
        grounds = Grounds.of(Standing.of("churn", whole.entries[:count]), VERSION.number)
        texts.add(descent_of(VERSION, grounds.decision, consent_of(grounds.request)).model_dump_json())
    assert len(texts) == 1
    assert "Production" not in texts.pop()


def test_a_long_life_is_told_in_its_order() -> None:
    """Two promotions, each on its own decision, the second on an approval, each with its release."""
    descent = told(VERSION, long_life(VERSION))
    later = [node for node in descent.nodes if node.kind not in ("events", "features", "training set", "run")]
    assert [node.kind for node in later[1:]] == [
        *("decision", "promotion", "release"),
        *("decision", "approval", "promotion", "release"),
    ]
    version, first, promoted, served, second, approval, again, serving = later
    assert [descent.parents(node) for node in later[1:]] == [
        *((version,), (first,), (promoted,)),
        *((version,), (second,), (approval,), (again,)),
    ]
    facts = dict(promoted.facts)
    assert facts["waived"] == "drift, one_order"
    assert facts["rolled back"].startswith("to version 1 by ben, 2026-03-01 15:00:00 UTC: complaints")
    assert facts["until"] == "2026-03-01 17:00:00 UTC, for version 1"
    assert dict(served.facts)["until"] == "2026-03-01 18:00:00 UTC"
    assert (approval.name, approval.at) == ("ann", long_life(VERSION).entries[12].at)
    assert "until" not in dict(again.facts)
    assert dict(serving.facts)["until"] == "now"
    assert dict(version.facts)["stage"] == "Production"


def test_a_question_without_an_answer_and_a_refusal_are_told() -> None:
    """An unanswered one says until when it is good, a refused one by whom and why."""
    decision = decision_on(VERSION)
    asked = question_on(decision)
    entries: list[Told] = [(2, REGISTERED), (2, Decided(decision=decision)), (2, asked)]
    waiting = only(told(VERSION, standing_after(*entries)), "approval")
    assert (waiting.name, waiting.at) == ("no answer yet", None)
    assert "good until" in dict(waiting.facts)
    no: Told = (2, Refused(request=asked.binding.digest), "bo", "too few rows")
    refused = only(told(VERSION, standing_after(*entries, no)), "approval")
    assert refused.name == "refused by bo"
    assert dict(refused.facts)["why"] == "too few rows"
    again = told(VERSION, standing_after(*entries, no, (2, asked)))
    assert only(again, "approval").name == "no answer yet"


def test_what_was_adopted_has_no_decision() -> None:
    """Its promotion follows from the version; one adopted elsewhere has none."""
    old = version_before_there_was_much()
    descent = told(old, standing_after((2, Adopted(stage="Production"))))
    assert descent.parents(only(descent, "promotion")) == (only(descent, "version"),)
    staged = told(old, standing_after((2, Adopted(stage="Staging"))))
    assert kinds(staged)[-1] == "version"
    assert dict(only(staged, "version").facts)["adopted"].startswith("in Staging by nightly")


def test_a_version_that_the_ledger_does_not_have_says_so() -> None:
    """It was registered by hand, or the ledger was lost."""
    descent = told(VERSION, standing_after((1, REGISTERED)))
    assert dict(only(descent, "version").facts)["stage"] == "not in the ledger"


def test_events_are_described_where_this_workspace_has_just_those() -> None:
    """Another digest under the same name is other data."""
    known = {
        "purchases": history_version("purchases"),
        "calls": history_version("calls", present=False),
        "customers": history_version("customers", digest=digest_of("newer")),
    }
    descent = descent_with_events(descent_of(VERSION, None, None), known)
    facts = {node.name: dict(node.facts) for node in descent.nodes if node.kind == "events"}
    assert facts["purchases"]["rows"] == "12,696,597"
    assert facts["purchases"]["days"] == "2024-10-17 to 2026-03-01"
    assert facts["calls"]["history"] == "version 4, compacted away"
    assert facts["customers"] == facts["web_visits"] == {}


@pytest.mark.parametrize(
    ("content", "version", "said"),
    [
        (digest_of("second"), 2, "serves it"),
        (digest_of("x"), 1, "serves version 1 instead"),
        (None, None, "serves nothing instead"),
    ],
)
def test_the_target_is_compared_with_the_last_release(
    content: str | None, version: int | None, said: str
) -> None:
    """Releases that ended long ago are not."""
    descent = descent_with_target(told(VERSION, long_life(VERSION)), content, version)
    releases = [dict(node.facts) for node in descent.nodes if node.kind == "release"]
    assert [facts.get("target") for facts in releases] == [None, said]


DECISIONS = [decision_on(VERSION), decision_on(VERSION, "drift"), decision_on(VERSION, champion=None)]
QUESTIONS = [question_on(one) for one in DECISIONS]
EVENTS: st.SearchStrategy[Any] = st.one_of(
    st.just(REGISTERED),
    st.sampled_from(["Staging", "Production", "Archived"]).map(lambda stage: Adopted(stage=stage)),
    st.sampled_from(DECISIONS).map(lambda one: Decided(decision=one)),
    st.sampled_from(QUESTIONS),
    st.sampled_from(QUESTIONS).map(lambda one: Approved(request=one.binding.digest)),
    st.sampled_from(QUESTIONS).map(lambda one: Refused(request=one.binding.digest)),
    st.sampled_from([*DECISIONS, None]).map(lambda one: Promoted(decision=one.digest if one else None)),
    st.sampled_from(QUESTIONS).map(
        lambda one: Promoted(decision=one.binding.decision, request=one.binding.digest)
    ),
    st.just(Archived(successor=1)),
    st.just(RolledBack(to=1)),
    st.sampled_from("ab").map(lambda content: Deployed(release="releases/churn/2", content=content)),
)


@given(st.lists(st.tuples(st.sampled_from([1, 2]), EVENTS), max_size=14))
def test_any_ledger_gives_a_graph_that_leads_forward(entries: list[tuple[int, Any]]) -> None:
    """Each promotion and release of the version is there once, edges lead to what comes later."""
    standing = standing_after(*entries)
    descent = told(VERSION, standing)
    order = {node.id: place for place, node in enumerate(descent.nodes)}
    assert len(order) == len(descent.nodes)
    assert all(order[start] < order[end] for start, end in descent.edges)
    assert len(set(descent.edges)) == len(descent.edges)
    mine = [entry.event for entry in standing.entries if entry.version == 2]
    promoted = [one for one in mine if isinstance(one, Promoted) or one == Adopted(stage="Production")]
    assert kinds(descent).count("promotion") == len(promoted)
    assert kinds(descent).count("release") == sum(isinstance(one, Deployed) for one in mine)
    known = any(isinstance(one, ApprovalRequested) for one in mine)
    assert known or "approval" not in kinds(descent)
    assert descent == told(VERSION, standing)
    assert json.loads(descent.model_dump_json())["version"] == 2
    assert all(node.at is None or node.at >= T for node in descent.nodes if node.kind != "events")
