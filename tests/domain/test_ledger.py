"""Entries: their place, their time, their chain, and what they are as text."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mlops_core.domain.digest import canonical, digest_bytes
from mlops_core.domain.gates import Approval, Check, GateDecision, GatePolicy, NonInferiority
from mlops_core.domain.ledger import (
    Adopted,
    AnyEvent,
    ApprovalRequested,
    Approved,
    Archived,
    Binding,
    Decided,
    Deployed,
    Draft,
    Entry,
    Promoted,
    Refused,
    Registered,
    RolledBack,
    TrialEnded,
    Tried,
    entries_after,
)
from mlops_core.domain.traffic import Bounds

T = datetime(2024, 3, 31, 12, tzinfo=UTC)
DECISION = GateDecision(
    verdict="rejected",
    version=2,
    model_digest="m",
    champion=1,
    champion_digest="n",
    checks=(
        Check(name="auc", outcome="failed", sentence="0.1 < 0.2", figures={"auc": 0.1, "tiny": 5e-324}),
        Check(name="latency", outcome="not applicable", sentence="none", measured={"ms": 1 / 3}),
    ),
    policy=GatePolicy(
        floor=0.1 + 0.2,
        ceilings={"brier": 0.25},
        comparison=NonInferiority(margin=1e-9),
        approval=Approval(expires=timedelta(days=1, microseconds=1), approvers=("Žofie",)),
        replaced_floor=-0.0,
    ),
    code="c",
)
BINDING = Binding(
    model="m",
    training_set="t",
    definitions="d",
    code="c",
    policy="p",
    decision=DECISION.digest,
    champion=None,
    report="r",
)
EVENTS: list[AnyEvent] = [
    Registered(run_id="r", training_set="t", definitions="d", code="c"),
    Decided(decision=DECISION),
    ApprovalRequested(
        binding=BINDING, terms=Approval(), expires_at=T + timedelta(microseconds=1), report_path="a/b c.html"
    ),
    Approved(request=BINDING.digest),
    Refused(request=BINDING.digest),
    Promoted(),
    Promoted(champion=1, decision="d", request="r", waived=("drift", "latency")),
    Archived(successor=2),
    RolledBack(to=1),
    Deployed(release="releases/churn/1", content="c"),
    Tried(percent=10, shadow=True, bounds=Bounds(shift=None), release="releases/churn/2", content="c"),
    TrialEnded(by="target", requests=103, errors=0),
    Adopted(stage="Production"),
]
texts = st.text(st.characters(exclude_categories=["Cs"]))


def draft(event: AnyEvent, version: int = 1, reason: str = "because") -> Draft:
    """An entry about some version."""
    return Draft(version=version, model="m", event=event, actor="me", reason=reason)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.kind)
def test_an_entry_of_every_kind_is_the_same_after_json(event: AnyEvent) -> None:
    """Equal, with the same text and so the same digest."""
    (entry,) = entries_after(None, "churn", [draft(event)], now=T)
    text = canonical(entry)
    again = Entry.model_validate_json(text)
    assert again == entry
    assert type(again.event) is type(event)
    assert canonical(again) == text
    assert again.digest == entry.digest == digest_bytes(text.encode())


def test_every_kind_of_event_is_looked_at() -> None:
    """A new one has to be added to those above."""
    kinds = get_args(get_args(AnyEvent)[0])
    assert {type(event) for event in EVENTS} == set(kinds)


@given(
    texts,
    texts,
    st.datetimes(timezones=st.just(UTC)),
    st.dictionaries(texts, st.floats(allow_nan=False, allow_infinity=False)),
)
def test_texts_times_and_figures_are_the_same_after_json(
    actor: str, reason: str, at: datetime, figures: dict[str, float]
) -> None:
    """Whatever stands in them."""
    check = Check(name="auc", outcome="passed", sentence=reason, figures=figures)
    decision = DECISION.model_copy(update={"checks": (check,)})
    drawn = Draft(version=1, model="m", event=Decided(decision=decision), actor=actor, reason=reason)
    (entry,) = entries_after(None, "churn", [drawn], now=at)
    again = Entry.model_validate_json(canonical(entry))
    assert again == entry
    assert again.digest == entry.digest


@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=5),
    st.lists(st.timedeltas(timedelta(-2), timedelta(2)), min_size=5, max_size=5),
)
def test_entries_are_counted_chained_and_in_order_of_time(steps: list[int], clocks: list[timedelta]) -> None:
    """Over steps of any size, with clocks that go back; those of one step have one instant."""
    entries: list[Entry] = []
    for size, clock in zip(steps, clocks, strict=False):
        last = entries[-1] if entries else None
        added = entries_after(last, "churn", [draft(Promoted())] * size, now=T + clock)
        assert len({entry.at for entry in added}) <= 1
        assert all(entry.at >= T + clock for entry in added)
        entries += added
    assert [entry.number for entry in entries] == list(range(1, len(entries) + 1))
    digests = [None, *(entry.digest for entry in entries)]
    assert [entry.previous for entry in entries] == digests[:-1]
    assert [entry.at for entry in entries] == sorted(entry.at for entry in entries)


def test_every_field_of_an_entry_is_in_its_digest() -> None:
    """A change of any of them is another digest."""
    (entry,) = entries_after(None, "churn", [draft(EVENTS[0])], now=T)
    others = {
        "version": 2,
        "model": "n",
        "event": EVENTS[5],
        "actor": "you",
        "reason": "",
        "name": "fraud",
        "number": 2,
        "at": T + timedelta(microseconds=1),
        "previous": "x",
    }
    assert others.keys() == Entry.model_fields.keys()
    digests = {entry.model_copy(update={name: value}).digest for name, value in others.items()}
    assert len(digests | {entry.digest}) == 1 + len(others)


def test_every_part_of_a_question_makes_it_another() -> None:
    """A changed model, data set, definition, code, policy, decision, champion or report."""
    digests = {BINDING.model_copy(update={name: "other"}).digest for name in Binding.model_fields}
    assert len(digests | {BINDING.digest}) == 1 + len(Binding.model_fields)


@pytest.mark.parametrize("change", [{"kind": "renamed"}, {"ticket": "T-1"}])
def test_an_event_that_is_not_known_is_refused(change: dict[str, str]) -> None:
    """Another kind, or a field more: what it means cannot be guessed."""
    (entry,) = entries_after(None, "churn", [draft(Approved(request="r"))], now=T)
    said = json.loads(canonical(entry))
    said["event"] |= change
    with pytest.raises(ValidationError):
        Entry.model_validate(said)
