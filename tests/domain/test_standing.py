"""Where versions stand, by their entries: legal operations in any order, against looking for it backwards."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)

from mlops_core.domain.gates import Approval, GateDecision, GatePolicy
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
    entries_after,
)
from mlops_core.domain.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Callable

T = datetime(2024, 3, 31, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ASKED = timedelta(days=7)


def question(version: int, report: str = "r") -> ApprovalRequested:
    """What is asked about a version; another report is another question."""
    parts = ("training_set", "definitions", "code", "policy", "decision")
    binding = Binding(model=f"model {version}", champion=None, report=report, **dict.fromkeys(parts, "same"))
    return ApprovalRequested(binding=binding, terms=Approval(), expires_at=T + ASKED, report_path="r.html")


def decision(version: int, code: str = "c") -> GateDecision:
    """One with no checks."""
    return GateDecision(
        verdict="passed",
        version=version,
        model_digest=f"model {version}",
        checks=(),
        policy=GatePolicy(floor=0.5),
        code=code,
    )


def draft(version: int, event: AnyEvent) -> Draft:
    """An entry about a version."""
    return Draft(version=version, model=f"model {version}", event=event, actor="me", reason="because")


def appended(entries: tuple[Entry, ...], at: datetime, *drafts: Draft) -> tuple[Entry, ...]:
    """The entries with one step more."""
    return entries + entries_after(entries[-1] if entries else None, "churn", drafts, now=at)


def standing_after(*events: tuple[int, AnyEvent]) -> Standing:
    """Where versions stand after these events, a day apart."""
    entries: tuple[Entry, ...] = ()
    for number, (version, event) in enumerate(events):
        entries = appended(entries, T + number * DAY, draft(version, event))
    return Standing.of("churn", entries)


def last(entries: tuple[Entry, ...], wanted: Callable[[Entry], bool]) -> Entry | None:
    """The newest entry of a kind: the oracle looks backwards."""
    return next((entry for entry in reversed(entries) if wanted(entry)), None)


def to_production(entry: Entry) -> bool:
    """Whether it brings its version there."""
    return isinstance(entry.event, Promoted) or entry.event == Adopted(stage="Production")


class Operations(RuleBasedStateMachine):
    """What `mlops_core.promotion` may append, one operation a step."""

    versions = Bundle("versions")
    requests = Bundle("requests")

    def __init__(self) -> None:
        super().__init__()
        self.entries: tuple[Entry, ...] = ()
        self.now = T
        self.count = 0
        self.champions: list[int] = []
        self.standings = [Standing.of("churn", ())]

    def step(self, *drafts: Draft) -> None:
        """One step of the ledger."""
        self.entries = appended(self.entries, self.now, *drafts)
        self.standings.append(Standing.of("churn", self.entries))

    @property
    def champion(self) -> int | None:
        """The version in Production."""
        return self.champions[-1] if self.champions else None

    def promotion(self, version: int) -> list[Draft]:
        """It goes to Production, the one there is archived."""
        there = self.champion
        self.champions.append(version)
        archived = [] if there is None else [draft(there, Archived(successor=version))]
        return [draft(version, Promoted(champion=there)), *archived]

    @initialize(
        target=versions, stages=st.lists(st.sampled_from(["Staging", "Archived"])), champion=st.booleans()
    )
    def adopt(self, stages: list[str], champion: bool) -> object:
        """A ledger that began with versions there already."""
        drafts = []
        for stage in [*stages, *(["Production"] if champion else [])]:
            self.count += 1
            drafts.append(draft(self.count, Adopted.model_validate({"stage": stage})))
        if champion:
            self.champions.append(self.count)
        if drafts:
            self.step(*drafts)
        return multiple(*range(1, self.count + 1))

    @rule(days=st.integers(1, 4))
    def wait(self, days: int) -> None:
        """Time passes."""
        self.now += days * DAY

    @rule(target=versions)
    def register(self) -> int:
        """A new version."""
        self.count += 1
        self.step(draft(self.count, Registered(run_id="r", training_set="t", definitions="d", code="c")))
        return self.count

    @rule(version=versions, code=st.sampled_from("abc"))
    def decide(self, version: int, code: str) -> None:
        """The gate decides, perhaps again."""
        self.step(draft(version, Decided(decision=decision(version, code))))

    @rule(target=requests, version=versions, report=st.sampled_from("abc"))
    def ask(self, version: int, report: str) -> tuple[int, str]:
        """A person is asked, perhaps something else than before."""
        asked = question(version, report)
        self.step(draft(version, asked))
        return version, asked.binding.digest

    @rule(request=consumes(requests) | requests, consent=st.booleans())
    def answer(self, request: tuple[int, str], consent: bool) -> None:
        """To a question of any age, perhaps the second answer."""
        version, digest = request
        self.step(draft(version, Approved(request=digest) if consent else Refused(request=digest)))

    @rule(version=versions)
    def promote(self, version: int) -> None:
        """Unless it is there."""
        if version != self.champion:
            self.step(*self.promotion(version))

    @precondition(lambda self: len(set(self.champions)) > 1)
    @rule(data=st.data())
    def roll_back(self, data: st.DataObject) -> None:
        """To one that was there before."""
        there = self.champions[-1]
        to = data.draw(st.sampled_from(sorted(set(self.champions) - {there})))
        self.step(draft(there, RolledBack(to=to)), *self.promotion(to))

    @precondition(lambda self: self.champions)
    @rule(content=st.sampled_from("ab"))
    def deploy(self, content: str) -> None:
        """What is in Production is served."""
        version = self.champions[-1]
        self.step(draft(version, Deployed(release=f"releases/{version}", content=content)))

    @invariant()
    def production_is_one_and_never_none_again(self) -> None:
        """And it is the version that was last brought there."""
        standing = self.standings[-1]
        found = last(self.entries, to_production)
        assert standing.production == self.champion == (found.version if found else None)
        there = [version for version, stage in standing.stages.items() if stage == "Production"]
        assert there == ([self.champion] if self.champions else [])
        assert standing.champion == (f"model {self.champion}" if self.champions else None)

    @invariant()
    def every_version_is_in_the_stage_it_last_came_to(self) -> None:
        """All others are where they began."""
        stages = {}
        for version in range(1, self.count + 1):
            mine = tuple(entry for entry in self.entries if entry.version == version)
            moved = last(mine, lambda entry: isinstance(entry.event, Promoted | Archived | Adopted))
            stages[version] = "Staging" if moved is None else stage_after(moved.event)
        assert self.standings[-1].stages == stages
        assert self.standings[-1].models == {version: f"model {version}" for version in stages}

    @invariant()
    def decisions_requests_and_withdrawals_are_the_newest(self) -> None:
        """By version, and an answer is the first to just that question."""
        standing = self.standings[-1]
        for version in range(1, self.count + 1):
            mine = tuple(entry for entry in self.entries if entry.version == version)
            judged = last(mine, lambda entry: isinstance(entry.event, Decided))
            assert standing.decisions.get(version) == getattr(judged and judged.event, "decision", None)
            asked = last(mine, lambda entry: isinstance(entry.event, ApprovalRequested))
            request = standing.requests.get(version)
            assert (request.asked if request else None) == asked
            assert (request.answered if request else None) == first_answer(mine, asked)
            left = last(mine, lambda entry: isinstance(entry.event, RolledBack | Promoted))
            gone = left if left is not None and isinstance(left.event, RolledBack) else None
            assert standing.withdrawn.get(version) == gone
            assert standing.since(version) == last(mine, to_production)

    @invariant()
    def what_served_is_known_in_order(self) -> None:
        """The last of them is what is served now."""
        served = tuple(entry for entry in self.entries if isinstance(entry.event, Deployed))
        assert self.standings[-1].served == served
        assert self.standings[-1].last_served == (served[-1] if served else None)
        assert self.standings[-1].head == len(self.entries)

    def teardown(self) -> None:
        """At any instant it stood as it did then, and what was computed then has not changed."""
        for earlier, later in zip(self.standings, self.standings[1:], strict=False):
            if not earlier.entries or later.entries[earlier.head].at > earlier.entries[-1].at:
                instant = later.entries[earlier.head].at - timedelta(microseconds=1)
                assert self.standings[-1].at(instant) == earlier == Standing.of("churn", earlier.entries)
        assert self.standings[-1].at(self.now) == self.standings[-1]


def stage_after(event: AnyEvent) -> str:
    """Where its version is then."""
    if isinstance(event, Adopted):
        return event.stage
    return "Production" if isinstance(event, Promoted) else "Archived"


def first_answer(mine: tuple[Entry, ...], asked: Entry | None) -> Entry | None:
    """The first entry after the question that names it."""
    if asked is None or not isinstance(asked.event, ApprovalRequested):
        return None
    digest = asked.event.binding.digest
    answers = [entry for entry in mine if isinstance(entry.event, Approved | Refused)]
    later = [entry for entry in answers if entry.number > asked.number]
    return next((entry for entry in later if getattr(entry.event, "request", None) == digest), None)


TestOperations = Operations.TestCase
TestOperations.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_nothing_stands_before_the_first_entry() -> None:
    """No production, no origin, no head."""
    standing = Standing.of("churn", ())
    assert (standing.production, standing.origin, standing.head, standing.champion) == (None, None, 0, None)
    assert standing.last_served is None
    assert standing.since(1) is None


def test_a_consent_expires_with_its_request() -> None:
    """To the instant."""
    request = standing_after((1, question(1)), (1, Approved(request=question(1).binding.digest))).requests[1]
    assert request.status(T + ASKED - timedelta(microseconds=1)) == "approved"
    assert request.status(T + ASKED) == "expired"


def test_an_unanswered_request_waits_until_it_expires() -> None:
    """To the instant."""
    request = standing_after((1, question(1))).requests[1]
    assert request.status(T) == "waiting"
    assert request.status(T + ASKED) == "expired"


def test_a_refusal_stays() -> None:
    """After the request expired, and whatever is answered later."""
    digest = question(1).binding.digest
    standing = standing_after((1, question(1)), (1, Refused(request=digest)), (1, Approved(request=digest)))
    assert standing.requests[1].status(T) == "refused"
    assert standing.requests[1].status(T + 2 * ASKED) == "refused"


@pytest.mark.parametrize("other", [question(1, "another").binding.digest, question(2).binding.digest])
def test_an_answer_to_another_question_is_none(other: str) -> None:
    """Of an earlier report, or of another version."""
    standing = standing_after((1, question(1)), (1, Approved(request=other)))
    assert standing.requests[1].status(T) == "waiting"


def test_an_answer_without_a_question_is_none() -> None:
    """There is nothing that it could refer to."""
    assert standing_after((1, Approved(request="r"))).requests == {}


def test_asking_again_takes_another_answer() -> None:
    """The same question after a refusal is open again."""
    digest = question(1).binding.digest
    standing = standing_after((1, question(1)), (1, Refused(request=digest)), (1, question(1)))
    assert standing.requests[1].status(T) == "waiting"


def test_a_registration_moves_no_version() -> None:
    """One entered late, after it was adopted, stays in its stage."""
    late = Registered(run_id="r", training_set="t", definitions="d", code="c")
    standing = standing_after((1, Adopted(stage="Production")), (1, late))
    assert standing.stages == {1: "Production"}
    assert standing.production == 1


def test_the_origin_tells_ledgers_apart_and_does_not_change() -> None:
    """It is the digest of the first entry, whatever comes after."""
    one = standing_after((1, Adopted(stage="Production")))
    more = standing_after((1, Adopted(stage="Production")), (2, Promoted()), (1, Archived(successor=2)))
    other = standing_after((2, Adopted(stage="Production")))
    assert one.origin == more.origin == one.entries[0].digest
    assert other.origin != one.origin


def test_the_origin_is_what_was_stored_then() -> None:
    """The second entry knows it, though a later version of this software writes the first otherwise."""
    first, second = standing_after((1, Adopted(stage="Production")), (2, Promoted())).entries
    linked = second.model_copy(update={"previous": "as it was stored"})
    assert Standing.of("churn", [first, linked]).origin == "as it was stored"
