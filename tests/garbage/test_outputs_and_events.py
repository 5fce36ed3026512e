"""Which outputs of stages and which versions of events are kept, and which go."""

from __future__ import annotations

import os
import shutil
import threading
import time
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from mlops_core.adapters.ledger.memory import MemoryLedger
from mlops_core.adapters.registry.memory import MemoryModelRegistry
from mlops_core.errors import BadInput, MlopsError, NotFound, Unavailable
from mlops_core.history import EventHistory, stored_versions
from mlops_core.retention import totals
from mlops_core.retention.found import size_of
from tests.garbage.store import NAME, Store, shop
from tests.stages.shop import purchases

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_core.retention import Found

HOUR = timedelta(hours=1)
EARLIER = date(2021, 4, 30)
REJECTED = shop(floor=0.99)


def names(found: list[Found]) -> list[str]:
    """What was found."""
    return [one.item.what for one in found]


def superseded(store: Store) -> list[Path]:
    """The folders of outputs that nobody refers to, after two runs that the gate rejects."""
    store.run(REJECTED)
    store.run(REJECTED, as_of=EARLIER)
    found = [store.home / one.item.what for one in store.found()]
    assert len(found) > 1
    return found


def aged(folder: Path, by: timedelta) -> None:
    """Make a folder look as if it had last been of use so long ago."""
    then = time.time() - by.total_seconds()
    os.utime(folder, (then, then))


def test_looking_changes_nothing(store: Store) -> None:
    superseded(store)

    def tree() -> dict[str, int]:
        return {str(path): path.stat().st_mtime_ns for path in store.home.rglob("*") if path.is_file()}

    before = tree()
    assert store.found()
    assert tree() == before


def test_sizes_are_those_of_the_files_and_add_up(store: Store) -> None:
    superseded(store)
    found = [one.item for one in store.found()]
    on_disk = sum(
        file.stat().st_size for one in found for file in (store.home / one.what).rglob("*") if file.is_file()
    )
    assert sum(one.size or 0 for one in found) == on_disk > 0
    assert sum(one.size for one in totals(found).values()) == on_disk
    assert sum(one.count for one in totals(found).values()) == len(found)


def test_what_was_of_use_lately_stays(store: Store) -> None:
    """An hour is asked for: only what is older is found."""
    folder, *_ = superseded(store)
    assert store.found(HOUR) == []
    aged(folder, 2 * HOUR)
    (found,) = store.found(HOUR)
    assert store.home / found.item.what == folder
    assert found.item.age is not None
    assert found.item.age >= HOUR.total_seconds()


def test_an_output_that_is_reused_is_young_again(store: Store) -> None:
    for folder in superseded(store):
        aged(folder, 2 * HOUR)
    store.run(REJECTED)
    store.run(REJECTED, as_of=EARLIER)
    assert store.found(HOUR) == []


def test_an_output_that_somebody_is_making_stays(store: Store) -> None:
    """Its lock is held, when it is looked for and when it is to go."""
    folder, *others = superseded(store)
    lock = f"{folder.parent.name}-{folder.name}"
    with store.engines.workspace.lock(lock):
        assert {store.home / one for one in names(store.found())} == set(others)
    (found,) = [one for one in store.found() if store.home / one.item.what == folder]
    with store.engines.workspace.lock(lock):
        assert not found.remove()
    assert folder.is_dir()
    assert found.remove()
    assert not folder.exists()


def test_an_output_that_came_into_use_since_it_was_found_stays(store: Store) -> None:
    folders, found = superseded(store), store.found()
    store.run(REJECTED)
    left = [store.home / one.item.what for one in found if not one.remove()]
    assert left
    assert all(folder.is_dir() for folder in left)
    before = store.worked()
    store.run(REJECTED)
    assert not store.worked() - before
    assert set(left) <= set(folders)


def test_an_output_with_a_damaged_receipt_is_garbage_unless_it_is_young(store: Store) -> None:
    folder, *_ = superseded(store)
    (folder / "receipt.json").write_text("{")
    aged(folder, 2 * HOUR)
    (found,) = store.found(HOUR)
    assert "cannot be read" in found.item.why


def test_what_stands_behind_production_stays_and_what_did_goes(store: Store) -> None:
    """Evaluation and model of version 2, which serves, no longer those of version 1; all training sets."""
    runs = [store.run(shop(), seed=0), store.run(shop(), seed=1), store.run(REJECTED, seed=2)]
    assert store.standing.stages == {1: "Archived", 2: "Production", 3: "Staging"}
    store.collect()
    assert all((store.home / run["training_set"].ref.uri).is_file() for run in runs)
    judged = [store.home / run["model_evaluation"].ref.uri for run in runs]
    assert [folder.is_dir() for folder in judged] == [False, True, True]
    models = [store.home / run["model_evaluation"].model.uri for run in runs]
    assert [folder.is_dir() for folder in models] == [False, True, True]


def history_of(store: Store, *seeds: int) -> EventHistory:
    """A history into which these deliveries were brought one after the other, no model being made."""
    history = EventHistory(shop(), store.engines)
    for seed in seeds:
        file = store.folder / f"delivery-{seed}.parquet"
        pq.write_table(purchases(seed=seed), file)
        history.bring_in(shop().sources[0], file)
    return history


def test_events_that_no_version_was_trained_on_go(store: Store) -> None:
    """The file goes, the version stays listed as one that is not present; the newest stays."""
    history = history_of(store, 1, 2, 3)
    assert [one.item.kind for one in store.found()] == ["events", "events"]
    store.collect()
    versions = history.versions(shop().sources[0])
    assert [one.present for one in versions] == [False, False, True]
    assert [history.path(one).is_file() for one in versions] == [False, False, True]
    assert history.held(shop().sources[0]).number == 3


def test_events_that_came_back_stay(store: Store) -> None:
    """The first and the third version are one file: it holds."""
    history = history_of(store, 1, 2, 1)
    store.collect()
    assert [one.present for one in history.versions(shop().sources[0])] == [True, False, True]
    assert history.held(shop().sources[0]).number == 3


def test_the_age_of_events_begins_when_others_took_their_place(store: Store) -> None:
    """The file may have held for years: a run that began with it may still be reading."""
    history = history_of(store, 1, 2)
    first = history.path(history.versions(shop().sources[0])[0])
    aged(first, timedelta(days=400))
    assert store.found(HOUR) == []
    assert [one.item.what for one in store.found()] == [store.engines.workspace.uri(first)]


def test_events_of_definitions_that_are_no_more_are_looked_at_too(store: Store) -> None:
    history = history_of(store, 1, 2)
    (folder,) = (store.home / "features" / NAME).iterdir()
    folder.rename(folder.with_name("purchases-0123456789ab"))
    moved = folder.with_name("purchases-0123456789ab")
    text = (moved / "versions.json").read_text()
    (moved / "versions.json").write_text(text.replace(folder.name, moved.name))
    store.collect()
    assert [one.present for one in stored_versions(store.engines.workspace, moved)] == [False, True]
    assert history.versions(shop().sources[0]) == []


def test_events_stay_while_their_source_is_written_to(store: Store) -> None:
    history = history_of(store, 1, 2)
    (found,) = store.found()
    with store.engines.workspace.lock(f"events-{NAME}-purchases"):
        assert not found.remove()
    assert all(history.path(one).is_file() for one in history.versions(shop().sources[0]))


def test_a_registry_of_others_is_refused(store: Store) -> None:
    """By an empty one, everything would look like garbage."""
    superseded(store)
    store.engines.registry = MemoryModelRegistry()
    with pytest.raises(
        Unavailable, match=r"does not have version 1.* as the ledger does. Nothing was removed"
    ):
        store.found()


def test_a_registry_and_a_ledger_of_others_are_refused(store: Store) -> None:
    """What is served from here tells that they are not those of this folder, and so does the last run."""
    store.run(shop())
    store.engines.registry, store.engines.ledger = MemoryModelRegistry(), MemoryLedger()
    with pytest.raises(Unavailable, match="the last run registered a version that it does not have"):
        store.found()
    (store.home / "runs" / NAME / "model_registry.json").unlink()
    with pytest.raises(Unavailable, match="version 1 is served here"):
        store.found()


def test_what_the_disk_refuses_is_said(store: Store) -> None:
    """A file lies where the output is to be moved."""
    folder, *_ = superseded(store)
    folder.with_name(f".{folder.name}.draft").write_text("in the way")
    found = next(one for one in store.found() if store.home / one.item.what == folder)
    with pytest.raises(MlopsError, match=f"cannot remove stages/{folder.parent.name}"):
        found.remove()
    assert folder.is_dir()


def test_a_use_case_that_nothing_tells_of_is_not_found(store: Store) -> None:
    store.run(shop())
    with pytest.raises(NotFound, match="nothing of 'shoes' here: there is shop"):
        store.found(use_case="shoes")
    with pytest.raises(BadInput, match="zero or more"):
        store.found(-HOUR)


def test_another_use_case_is_left_alone(store: Store) -> None:
    """Only what was made for the one that is named is found; what others need of it stays."""
    superseded(store)
    other = shop().model_copy(update={"name": "other"})
    store.run(other, seed=1)
    store.run(other, seed=2)
    mine, theirs, all_ = (names(store.found(use_case=one)) for one in (NAME, "other", None))
    assert mine
    assert theirs
    assert sorted(mine + theirs) == sorted(all_)


@pytest.mark.live
def test_runs_go_well_while_everything_unused_is_removed_again_and_again(store: Store) -> None:
    """Without any age to protect them: a run notes what it uses before it lets go of it."""
    store.run(shop())
    failed: list[BaseException] = []
    removed: list[str] = []
    done = threading.Event()

    def collect() -> None:
        while not done.is_set():
            try:
                removed.extend(one.item.what for one in store.found() if one.remove())
            except BaseException as error:
                failed.append(error)
                raise

    collector = threading.Thread(target=collect)
    collector.start()
    try:
        for turn in range(4):
            store.run(shop(window=30 + 30 * (turn % 2)), seed=turn % 3, as_of=EARLIER if turn % 3 else None)
    finally:
        done.set()
        collector.join()
    assert failed == []
    assert removed
    store.collect()
    assert not store.lost_events()
    assert not store.lost_releases()


def test_what_goes_while_it_is_looked_at_is_passed_over(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A release's draft is swept by the next release, without a word to whoever is looking."""
    store.run(shop())
    draft = store.home / "releases" / NAME / ".draft-1" / "model"
    found = store.engines.deployer.folders

    def vanishing(name: str) -> list[Path]:
        all_: list[Path] = found(name)
        if draft.exists():
            shutil.rmtree(draft.parent)
        return all_

    draft.mkdir(parents=True)
    monkeypatch.setattr(type(store.engines.deployer), "folders", lambda _, name: vanishing(name))
    store.found()
    assert not draft.exists()
    assert size_of(draft) == 0


def test_what_is_made_after_the_search_began_is_not_found(store: Store) -> None:
    """The clock of the search stands before the runs."""
    retention = store.retention
    before = datetime.now(UTC) - timedelta(seconds=1)
    superseded(store)
    early = type(retention)(engines=store.engines, releases=store.engines.deployer, clock=lambda: before)
    assert early.garbage() == []
