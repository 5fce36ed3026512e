"""Stages follow from the aliases, whatever was interrupted."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import example, given
from hypothesis import strategies as st

from mlops_core.adapters.registry.shelf import Record, Shelf
from mlops_core.adapters.registry.stage_changes import Change, promoting, settling

SIZE = 4


def fresh() -> Shelf:
    """A shelf of versions that were registered and never promoted."""
    records = tuple(
        Record(
            number=number,
            created_at=datetime(2024, 1, 1, tzinfo=UTC),
            run_id=f"run-{number}",
            source="",
            tags={"mlops.digest": str(number)},
        )
        for number in range(1, SIZE + 1)
    )
    return applied(Shelf(name="churn", records=records))


def applied(shelf: Shelf, changes: list[Change] | None = None) -> Shelf:
    for change in settling(shelf) if changes is None else changes:
        shelf = shelf.after(change)
    return shelf


def stages(shelf: Shelf) -> list[str]:
    return [shelf.stage(record) for record in shelf.records]


promotions = st.lists(
    st.tuples(st.integers(1, SIZE), st.integers(0, 20)), min_size=1, max_size=6
)  # which version, and after how many changes the process dies


@given(promotions)
@example([(3, 20), (2, 20), (1, 1), (1, 20)])  # dead within the third, with an archived version of before
@example([(3, 20), (2, 20), (1, 2), (1, 20)])
@example([(3, 20), (2, 20), (1, 3), (1, 20)])
@example([(3, 20), (2, 20), (1, 4), (1, 20)])
def test_an_interrupted_promotion_is_finished_by_whatever_comes_next(plan: list[tuple[int, int]]) -> None:
    """After promotions that died anywhere, one that lives leaves what uninterrupted ones would have left."""
    broken, whole = fresh(), fresh()
    for number, survived in plan:
        changes = promoting(broken, number)
        moved = any(change.alias == "production" for change in changes[:survived])
        broken = applied(broken, changes[:survived])
        if moved:  # the promotion took place, although its process died
            whole = applied(whole, promoting(whole, number))
    last = plan[-1][0]
    broken = applied(broken, promoting(broken, last))
    whole = applied(whole, promoting(whole, last))
    assert broken == whole
    assert promoting(broken, last) == []


@given(promotions)
def test_at_no_moment_two_versions_are_in_production(plan: list[tuple[int, int]]) -> None:
    """Once there is a version in Production there is exactly one, after every single change."""
    shelf = applied(fresh(), promoting(fresh(), 1))
    for number, _ in plan:
        for change in promoting(shelf, number):
            shelf = shelf.after(change)
            assert stages(shelf).count("Production") == 1


def test_aliases_point_at_one_version_of_each_stage() -> None:
    """`staging` is the newest in Staging, `archived` the last that was archived, whatever its number."""
    shelf = fresh()
    assert shelf.aliases == {"staging": 4}
    for number in (4, 2, 3):
        shelf = applied(shelf, promoting(shelf, number))
    assert shelf.aliases == {"production": 3, "staging": 1, "archived": 2}


def test_an_alias_without_a_version_to_point_at_is_deleted() -> None:
    """With nothing left in Staging there is no alias `staging`."""
    shelf = Shelf(name="churn", records=fresh().records[:1], aliases={"staging": 1})
    shelf = applied(shelf, promoting(shelf, 1))
    assert shelf.aliases == {"production": 1}


def test_moving_the_production_alias_by_hand_counts() -> None:
    """Somebody who moves the alias in MLflow has promoted: the tags follow at the next change."""
    shelf = applied(fresh(), promoting(fresh(), 1)).after(Change(alias="production", number=2))
    assert stages(shelf) == ["Archived", "Production", "Staging", "Staging"]
    shelf = applied(shelf)
    assert [record.tags["stage"] for record in shelf.records] == stages(shelf)
    assert shelf.aliases["archived"] == 1


def test_taking_the_production_alias_away_archives() -> None:
    """A version whose alias was deleted by hand is no longer in Production."""
    shelf = applied(fresh(), promoting(fresh(), 1)).after(Change(alias="production"))
    assert stages(shelf)[0] == "Archived"
