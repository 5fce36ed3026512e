"""Versions of a source's events: never changed, kept until told otherwise, repeated for free."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from mlops_core.definitions import Count, Fresh, InRange, Volume, days
from mlops_core.errors import DataError, IntegrityError, NotFound
from tests.history.shop import START, orders, shop

if TYPE_CHECKING:
    from pathlib import Path

    from tests.history.conftest import Bench

FIRST = orders((1, 0, 5.0), (2, 3, 7.0))
SECOND = orders((1, 9, 2.0), (2, 3, 7.0))


def test_the_same_events_make_no_new_version(bench: Bench) -> None:
    use_case = shop()
    history, source = bench.history(use_case), use_case.sources[0]
    first = history.bring_in(source, FIRST)
    assert history.bring_in(source, FIRST.take([1, 0])) == first
    assert history.versions(source) == [first]


def test_a_whole_source_is_what_it_was_given_last(bench: Bench) -> None:
    use_case = shop()
    history, source = bench.history(use_case), use_case.sources[0]
    history.bring_in(source, FIRST)
    second = history.bring_in(source, SECOND)
    assert (second.number, second.rows, second.how) == (2, 2, "whole")
    assert pq.read_table(history.path(second))["usd"].to_pylist() == [2.0, 7.0]


def test_an_appending_source_keeps_what_it_was_given_before(bench: Bench) -> None:
    use_case = shop(append=True)
    history, source = bench.history(use_case), use_case.sources[0]
    history.bring_in(source, FIRST)
    both = history.bring_in(source, SECOND)
    assert (both.rows, both.changed.added, both.changed.removed, both.how) == (3, 1, 0, "upsert")
    for again in (FIRST, SECOND, None):
        assert history.bring_in(source, again) == both


def test_batches_in_any_order_give_the_same_events(bench: Bench, tmp_path: Path) -> None:
    use_case = shop(append=True)
    source = use_case.sources[0]
    one = bench.history(use_case)
    one.bring_in(source, FIRST)
    other = type(bench)(type(bench.workspace)(tmp_path / "other")).history(use_case)
    other.bring_in(source, SECOND)
    assert one.bring_in(source, SECOND).digest == other.bring_in(source, FIRST).digest


def test_a_file_that_did_not_change_is_not_read_again(bench: Bench, tmp_path: Path) -> None:
    use_case = shop()
    history, source = bench.history(use_case), use_case.sources[0]
    file = tmp_path / "orders.parquet"
    pq.write_table(FIRST, file)
    first = history.bring_in(source, file)
    written = history.path(first).stat().st_mtime_ns
    assert history.bring_in(source, file) == first
    assert history.path(first).stat().st_mtime_ns == written


def test_broken_rows_leave_the_history_as_it_was(bench: Bench) -> None:
    use_case = shop(rules=(InRange("usd", low=0),))
    history, source = bench.history(use_case), use_case.sources[0]
    first = history.bring_in(source, FIRST)
    with pytest.raises(DataError, match="usd"):
        history.bring_in(source, orders((1, 0, -5.0)))
    assert history.held(source) == first


def test_broken_rows_are_set_aside_when_asked_for(bench: Bench, tmp_path: Path) -> None:
    use_case = shop(rules=(InRange("usd", low=0),))
    history, source = bench.history(use_case), use_case.sources[0]
    aside = tmp_path / "aside.parquet"
    held = history.bring_in(source, orders((1, 0, -5.0), (2, 1, 3.0)), quarantine=aside)
    assert (held.rows, held.quarantined) == (1, 1)
    assert pq.read_table(aside)["usd"].to_pylist() == [-5.0]


def test_a_file_with_rows_set_aside_is_refused_without_quarantine(bench: Bench, tmp_path: Path) -> None:
    use_case = shop(rules=(InRange("usd", low=0),))
    history, source = bench.history(use_case), use_case.sources[0]
    file = tmp_path / "orders.parquet"
    pq.write_table(orders((1, 0, -5.0), (2, 1, 3.0)), file)
    history.bring_in(source, file, quarantine=tmp_path / "aside.parquet")
    with pytest.raises(DataError, match="usd"):
        history.bring_in(source, file)


def test_events_that_are_too_old_are_refused(bench: Bench) -> None:
    use_case = shop(rules=(Fresh(within=days(50)),))
    history, source = bench.history(use_case), use_case.sources[0]
    bench.clock.now = START + timedelta(days=53)
    first = history.bring_in(source, FIRST)
    bench.clock.now = START + timedelta(days=54)
    with pytest.raises(DataError, match=r"50 days.*old at most"):
        history.bring_in(source, FIRST)
    assert history.held(source) == first


@pytest.mark.parametrize("rows", [1, 7])
def test_a_delivery_of_an_odd_size_is_refused(bench: Bench, rows: int) -> None:
    use_case = shop(rules=(Volume(least=0.75, most=3),))
    history, source = bench.history(use_case), use_case.sources[0]
    history.bring_in(source, FIRST)
    with pytest.raises(DataError, match="the last time"):
        history.bring_in(source, orders(*((1, day, 1.0) for day in range(rows))))
    assert history.bring_in(source, SECOND).number == 2


def test_what_was_known_is_the_version_that_held_then(bench: Bench) -> None:
    use_case = shop()
    history, source = bench.history(use_case), use_case.sources[0]
    first = history.bring_in(source, FIRST)
    then = bench.clock.now
    bench.clock.now = then + timedelta(days=1)
    second = history.bring_in(source, SECOND)
    assert history.held(source, as_known_at=then) == first
    assert history.held(source, as_known_at=bench.clock.now) == second
    with pytest.raises(NotFound, match="nothing was stored by"):
        history.held(source, as_known_at=then - timedelta(days=1))


def test_a_source_with_created_timestamps_knows_itself_what_was_known(bench: Bench) -> None:
    use_case = shop(created_timestamp="recorded")
    history, source = bench.history(use_case), use_case.sources[0]
    held = history.bring_in(source, orders((1, 0, 5.0), recorded=True))
    assert history.held(source, as_known_at=START) == held


def test_expiry_lets_go_of_what_no_feature_sees(bench: Bench) -> None:
    use_case = shop()
    history, source = bench.history(use_case), use_case.sources[0]
    history.bring_in(source, orders((1, 0, 1.0), (1, 5, 2.0), (1, 60, 3.0), (2, 0, 4.0)))
    kept = history.expire(source, START + timedelta(days=50))
    # the first event of each customer stays: without it nobody would know of customer 2
    assert pq.read_table(history.path(kept))["usd"].to_pylist() == [1.0, 3.0, 4.0]
    assert (kept.how, kept.changed.removed) == ("expire", 1)
    assert history.expire(source, START + timedelta(days=50)) == kept


def test_compaction_leaves_the_version_that_holds(bench: Bench) -> None:
    use_case = shop()
    history, source = bench.history(use_case), use_case.sources[0]
    first = history.bring_in(source, FIRST)
    second = history.bring_in(source, SECOND)
    assert [one.number for one in history.compact(source)] == [1]
    assert not history.path(first).exists()
    assert history.held(source) == second
    assert [one.present for one in history.versions(source)] == [False, True]


def test_changed_events_of_a_whole_source_are_made_again(bench: Bench, tmp_path: Path) -> None:
    use_case = shop()
    history, source = bench.history(use_case), use_case.sources[0]
    file = tmp_path / "orders.parquet"
    pq.write_table(FIRST, file)
    first = history.bring_in(source, file)
    history.path(first).write_bytes(b"changed")
    with pytest.raises(IntegrityError, match="not what was stored"):
        history.held(source)
    assert history.bring_in(source, file).digest == first.digest
    assert history.held(source).digest == first.digest


def test_changed_events_of_an_appending_source_stop_everything(bench: Bench) -> None:
    use_case = shop(append=True)
    history, source = bench.history(use_case), use_case.sources[0]
    history.path(history.bring_in(source, FIRST)).write_bytes(b"changed")
    with pytest.raises(IntegrityError, match="backup"):
        history.bring_in(source, SECOND)


def test_a_damaged_record_is_said_to_be_damaged(bench: Bench) -> None:
    use_case = shop()
    history, source = bench.history(use_case), use_case.sources[0]
    first = history.bring_in(source, FIRST)
    history.path(first).with_name("versions.json").write_text("[{")
    with pytest.raises(IntegrityError, match=r"versions\.json is damaged"):
        history.held(source)


def test_definitions_that_read_other_columns_begin_a_history_of_their_own(bench: Bench) -> None:
    before, after = shop(), shop(created_timestamp="recorded")
    bench.history(before).bring_in(before.sources[0], FIRST)
    with pytest.raises(NotFound, match="features materialise shop"):
        bench.history(after).held(after.sources[0])


def test_rules_and_places_do_not_begin_another_history(bench: Bench) -> None:
    before, after = shop(), shop(rules=(InRange("usd", low=0),), query="SELECT 1")
    held = bench.history(before).bring_in(before.sources[0], FIRST)
    assert bench.history(after).held(after.sources[0]) == held


def test_a_source_may_expire_altogether(bench: Bench) -> None:
    use_case = shop()
    visits = use_case.sources[0].model_copy(update={"name": "visits"})
    view = use_case.views[0]
    others = view.model_copy(
        update={
            "name": "visits",
            "source": "visits",
            "features": (Count("visits_9d", window=days(9)),),
        }
    )
    both = use_case.model_copy(update={"sources": (*use_case.sources, visits), "views": (view, others)})
    history = bench.history(both)
    held = history.bring_in(visits, FIRST)
    kept = history.expire(visits, START + timedelta(days=50))
    assert (kept.rows, kept.first, kept.last) == (0, held.first, held.last)


def test_late_recording_is_told(bench: Bench) -> None:
    use_case = shop(created_timestamp="recorded", delay=timedelta(hours=18))
    held = bench.history(use_case).bring_in(use_case.sources[0], orders((1, 0, 5.0), recorded=True))
    assert (held.late, held.late_by) == (1, timedelta(hours=6))
    punctual = shop(created_timestamp="recorded", delay=days(1))
    held = bench.history(punctual).bring_in(punctual.sources[0], orders((1, 0, 5.0), recorded=True))
    assert (held.late, held.late_by) == (0, None)
