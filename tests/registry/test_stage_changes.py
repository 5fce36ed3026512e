"""What is shown follows from the ledger, whatever was interrupted or moved by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from mlops_core.adapters.registry.changes import AliasMoved, Discarded, Finished
from mlops_core.adapters.registry.shelf import Record, Shelf
from mlops_core.adapters.registry.stage_changes import finishing, following, unlike
from mlops_core.domain.ledger import Promoted
from tests.registry.life import Life

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_core.adapters.registry.changes import AnyChange
    from mlops_core.domain.standing import Standing

SIZE = 4
SHOWN = ("stage", "verdict", "reasons", "approval", "mlops.decision")


def record(number: int, digest: str | None = None, **tags: str) -> Record:
    return Record(
        number=number,
        created_at=datetime(2024, 1, 1, tzinfo=UTC),
        run_id=f"run-{number}",
        source="",
        tags={"mlops.digest": digest or f"digest-{number}", **tags},
    )


def applied(shelf: Shelf, changes: Sequence[AnyChange]) -> Shelf:
    for change in changes:
        shelf = shelf.after(change)
    return shelf


class Version:
    """As much of a version as a ledger needs."""

    run_id = "run"

    def __init__(self, number: int) -> None:
        self.number, self.digest = number, f"digest-{number}"

    def model_copy(self, update: dict[str, Any]) -> Version:
        return Version(update["number"])


def lived(steps: list[tuple[str, int]]) -> Standing:
    """The standing after some steps, each on a version."""
    life: Any = Life()
    for step, number in steps:
        version = Version(number)
        if step == "answered":
            if number in life.standing.requests:
                life.answered(version, consent=number % 2 == 0)
        elif not (step == "promoted" and life.standing.production == number):
            getattr(life, step)(version)
    return life.standing  # type: ignore[no-any-return]  # what a ledger needs is less than mypy thinks


standings = st.lists(
    st.tuples(
        st.sampled_from(["registered", "decided", "asked", "answered", "promoted"]), st.integers(1, SIZE)
    ),
    max_size=8,
).map(lambda steps: lived([("registered", 1), *steps]))
numbers = st.one_of(st.none(), st.integers(1, SIZE))
records = st.tuples(
    *[
        st.dictionaries(
            st.sampled_from(SHOWN), st.sampled_from(["Staging", "Production", "Archived", "x"]), max_size=3
        ).map(lambda tags, number=number: record(number, **tags))  # type: ignore[misc]  # the default binds
        for number in range(1, SIZE + 1)
    ]
)
shelves = st.builds(
    lambda records, aliases: Shelf.of("churn", records, {a: n for a, n in aliases.items() if n}, None),
    records,
    st.fixed_dictionaries({"production": numbers, "staging": numbers, "archived": numbers, "mine": numbers}),
)


@given(shelves, standings)
def test_whatever_was_shown_the_ledger_is_shown_then(shelf: Shelf, standing: Standing) -> None:
    """From any aliases and tags the changes lead to those of the standing; aliases of others stay."""
    after = applied(shelf, following(shelf, standing))
    assert unlike(after, standing) == []
    assert after.aliases.get("production") == standing.production
    assert after.aliases.get("mine") == shelf.aliases.get("mine")
    assert {one.number: one.tags["stage"] for one in after.records} == {
        number: standing.stages.get(number, "Staging") for number in range(1, SIZE + 1)
    }
    for number, decision in standing.decisions.items():
        assert after.numbered(number).tags["verdict"] == decision.verdict
    assert {one.number for one in after.records if "approval" in one.tags} == set(standing.requests)


@given(shelves, standings, st.lists(st.integers(0, 6), max_size=4))
def test_interrupted_anywhere_the_rest_follows(shelf: Shelf, standing: Standing, deaths: list[int]) -> None:
    """Any number of deaths, each after a few changes, leaves what one that lives would have left."""
    broken = shelf
    for survived in deaths:
        broken = applied(broken, following(broken, standing)[:survived])
    whole = applied(shelf, following(shelf, standing))
    assert applied(broken, following(broken, standing)) == whole


@given(shelves, standings)
def test_the_production_alias_is_moved_before_all_else(shelf: Shelf, standing: Standing) -> None:
    """After the ledger's name was noted there is no other change before the alias that callers go by."""
    changes = following(shelf, standing)
    moved = [
        at for at, one in enumerate(changes) if isinstance(one, AliasMoved) and one.alias == "production"
    ]
    assert moved in ([], [1])


@given(shelves, standings)
def test_each_change_has_a_sentence_of_its_own(shelf: Shelf, standing: Standing) -> None:
    """What differs can be told apart."""
    sentences = unlike(shelf, standing)
    assert len(sentences) == len(set(sentences)) == len(following(shelf, standing))


def test_the_archived_alias_is_that_of_the_last_that_left_production() -> None:
    """Its number does not count; one that came back is not archived."""
    standing = lived([("promoted", number) for number in (4, 2, 3, 2)])
    shelf = Shelf.of("churn", [record(number) for number in range(1, SIZE + 1)], {}, None)
    assert applied(shelf, following(shelf, standing)).aliases == {
        "production": 2,
        "archived": 3,
        "staging": 1,
    }
    without = replace(shelf, records=tuple(one for one in shelf.records if one.number != 3))
    assert applied(without, following(without, standing)).aliases["archived"] == 4


def test_a_version_in_production_that_is_gone_leaves_no_alias_elsewhere() -> None:
    """Where the ledger's version was deleted, the alias does not stay at another one."""
    shelf = Shelf.of("churn", [record(2, stage="Staging")], {"production": 2}, None)
    changes = following(shelf, lived([("promoted", 1)]))
    assert applied(shelf, changes).aliases == {"staging": 2}


def test_a_version_without_a_stage_is_finished_first() -> None:
    """Its run is ended before the tag that says so is set, and nothing is done twice."""
    shelf = Shelf.of("churn", [record(1, stage="Archived"), record(2)], {}, None)
    changes = finishing(shelf)
    assert [type(one).__name__ for one in changes] == ["Finished", "Tagged"]
    assert finishing(applied(shelf, changes)) == []
    followed = [one for one in following(shelf, lived([("promoted", 2)])) if getattr(one, "number", 0) == 2]
    assert isinstance(followed[1], Finished)
    assert followed[2].sentence == "version 2 is not tagged with a stage, by the ledger it is Production"


def test_of_two_versions_of_a_digest_the_lower_counts() -> None:
    """The later is discarded while it is unfinished; one that was finished is left to people."""
    unfinished = Shelf.of("churn", [record(2, "same"), record(1, "same", stage="Staging")], {}, None)
    assert [one.number for one in unfinished.records] == [1]
    (change,) = finishing(unfinished)
    assert isinstance(change, Discarded)
    assert change.number == 2
    assert finishing(unfinished.after(change)) == []
    copied = Shelf.of("churn", [record(2, "same", stage="x"), record(1, "same", stage="x")], {}, None)
    assert [one.number for one in copied.records] == [1, 2]
    assert copied.with_digest("same") == copied.records[0]


def test_a_promotion_of_an_unregistered_version_is_no_reason_to_fail() -> None:
    """A ledger may begin with a promotion, as adopted ones do."""
    life: Any = Life()
    standing = life.add(Version(1), Promoted())
    shelf = Shelf.of("churn", [record(1)], {}, None)
    assert applied(shelf, following(shelf, standing)).aliases == {"production": 1}
