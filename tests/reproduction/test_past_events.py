"""Events that are not in the state folder any more: what is held today, as known then, or a refusal."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from mlops_core.errors import NotFound
from mlops_core.history import EventHistory
from mlops_core.pipeline import build_pipeline
from mlops_core.reproduction import reproduce, told
from tests.reproduction.shop import START, Store, late_and_corrected, orders, shop

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def compacted(store: Store) -> Store:
    """The shop without the events of all versions but the last."""
    gone = EventHistory(store.use_case, store.engines).compact(store.use_case.sources[0])
    assert [one.number for one in gone] == [1]
    return store


def test_compacted_events_with_created_timestamps_are_read_as_known_then(
    told_late: Store, copy_of: Callable[[Store], Store]
) -> None:
    """What was recorded after they were stored is not there, corrections neither; and it says so."""
    store = compacted(copy_of(told_late))
    found = reproduce(store.versions[0], store.engines)
    assert found.verdict == "identical"
    (read,) = found.sources
    assert (read.how, read.number) == ("as known", 1)
    assert read.as_known_at == found.as_known_at is not None
    assert [one.name for one in found.differences if one.part == "data"] == ["orders"]
    assert "version 1 of its history was compacted away; read is what is held today" in told(found)


@pytest.mark.live
@pytest.mark.parametrize(("day", "enough"), [(100, True), (360, False)])
def test_rows_that_expired_since_are_said_to_be_missing(day: int, enough: bool, tmp_path: Path) -> None:
    """Of features that look back a while, old rows can be let go; the training set then is another."""
    use_case = shop()
    recent = use_case.views[0].model_copy(update={"features": use_case.views[0].features[:1]})
    store = Store(tmp_path / "home", use_case.model_copy(update={"views": (recent,)}))
    store.deliver(orders())
    history = EventHistory(store.use_case, store.engines)
    history.expire(store.use_case.sources[0], START + timedelta(days=day))
    compacted(store)
    if not enough:
        with pytest.raises(NotFound, match=r"makes no training set any more.*orders: rows expired since"):
            reproduce(store.versions[0], store.engines)
        return
    found = reproduce(store.versions[0], store.engines)
    assert found.verdict == "different"
    assert found.rows is not None
    assert found.rows.columns["orders_recent"] > 0
    assert "orders: rows expired since" in told(found)


def test_compacted_events_without_them_are_refused(
    told_nothing: Store, copy_of: Callable[[Store], Store]
) -> None:
    """Nothing tells what was known then."""
    store = compacted(copy_of(told_nothing))
    version = store.versions[0]
    with pytest.raises(NotFound) as caught:
        reproduce(version, store.engines)
    for part in ("orders", version.lineage.data["orders"][:12], "compacted away", "Bring that data in again"):
        assert part in str(caught.value)


def test_events_that_were_never_here_are_refused(told_nothing: Store, tmp_path: Path) -> None:
    """As with a registry that is shared, and a state folder that is not."""
    registry = told_nothing.engines.registry
    elsewhere = Store(tmp_path / "elsewhere", told_nothing.use_case, registry)  # type: ignore[arg-type] # in memory
    with pytest.raises(NotFound, match=r"orders: the events \w{12} .* are in no version of its history here"):
        reproduce(told_nothing.versions[0], elsewhere.engines)


@pytest.mark.live
def test_rows_that_claim_an_earlier_record_are_found_in_the_comparison(tmp_path: Path) -> None:
    """Created timestamps that are not true make another training set; the rows that differ are counted."""
    store = Store(tmp_path / "home", shop())
    store.deliver(orders())
    store.deliver(late_and_corrected(START))
    compacted(store)
    found = reproduce(store.versions[0], store.engines)
    assert found.verdict == "different"
    assert found.rows is not None
    assert found.rows.columns["gone"] > 0
    assert f"gone ({found.rows.columns['gone']:,})" in told(found)
    for folder in (store.home / "stages" / "training_set").iterdir():
        shutil.rmtree(folder)
    unknown = reproduce(store.versions[0], store.engines)
    assert unknown.rows is None
    assert "its original rows are not in the state folder any more" in told(unknown)


@pytest.mark.live
def test_a_run_that_was_told_an_earlier_day_is_made_again_as_of_that_day(tmp_path: Path) -> None:
    """It knew nothing of what was recorded later."""
    store = Store(tmp_path / "home", shop())
    dag = build_pipeline(store.use_case, store.engines, data={"orders": orders()}, as_of=date(2024, 12, 31))
    dag.execute()
    (version,) = store.versions
    assert version.lineage.as_known_at is not None
    found = reproduce(version, store.engines)
    assert found.verdict == "identical"
    assert found.as_known_at == version.lineage.as_known_at


def test_the_same_events_under_other_definitions_serve_as_well(
    told_nothing: Store, copy_of: Callable[[Store], Store]
) -> None:
    """A history is found by the digest of its events, whatever its folder is called."""
    store = copy_of(told_nothing)
    (folder,) = (store.home / "features" / "shop").iterdir()
    other = folder.with_name("orders-000000000000")
    folder.rename(other)
    listed = other / "versions.json"
    listed.write_text(listed.read_text().replace(folder.name, other.name))
    assert reproduce(store.versions[0], store.engines).verdict == "identical"


@pytest.mark.live
def test_data_that_is_brought_in_again_serves_again(tmp_path: Path) -> None:
    """After a compaction, as the refusal says to do."""
    whole = shop(recorded=False)
    source = whole.sources[0].model_copy(update={"append": False})
    store = Store(tmp_path / "home", whole.model_copy(update={"sources": (source,)}))
    store.deliver(orders())
    store.deliver(pa.concat_tables([orders(), late_and_corrected(START).slice(40)]))
    compacted(store)
    with pytest.raises(NotFound):
        reproduce(store.versions[0], store.engines)
    EventHistory(store.use_case, store.engines).bring_in(source, orders())
    found = reproduce(store.versions[0], store.engines)
    assert found.verdict == "identical"
    assert [one.number for one in found.sources] == [3]
