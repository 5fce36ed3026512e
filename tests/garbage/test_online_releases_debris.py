"""Which online values, releases and remains of killed processes go."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from mlops_core.adapters.registry.memory import MemoryModelRegistry
from mlops_core.domain.inputs import Inputs
from mlops_core.retention.online import online_name_of
from mlops_core.usecases.churn import CHURN
from tests.garbage.store import NAME, Store, shop
from tests.history.shop import shop as shop_on_demand

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_core.domain.registry import ModelVersion
    from mlops_core.domain.usecase import UseCase

pytestmark = pytest.mark.live  # the default suite stays under two minutes

HOUR = timedelta(hours=1)
DIGEST = "0123456789ab"


@pytest.mark.parametrize("use_case", [CHURN, shop(), shop(window=30), shop_on_demand(delay=HOUR)])
def test_the_set_that_a_run_filled_is_known_by_its_inputs(use_case: UseCase) -> None:
    """As they are noted and read again."""
    inputs = Inputs(stage="feature_store", use_case=use_case.name, definitions=use_case.training_parts)
    noted = Inputs.model_validate_json(inputs.model_dump_json())
    assert online_name_of(noted) == use_case.online_name
    written = Inputs.model_validate(json.loads(json.dumps(inputs.model_dump(mode="json"), indent=1)))
    assert online_name_of(written) == use_case.online_name


def test_inputs_of_another_form_name_no_set() -> None:
    assert online_name_of(Inputs(stage="feature_store", use_case=NAME)) is None


def values(store: Store, *names: str) -> None:
    """Online values under these names."""
    table = pa.table({"customer_id": pa.array([1], pa.int64()), "orders": [2.0]})
    for name in names:
        store.engines.online.write(name, table, ["customer_id"], datetime(2021, 1, 1, tzinfo=UTC))


def online_found(store: Store) -> list[str]:
    return [one.item.what for one in store.found() if one.item.kind == "online values"]


def test_values_that_nobody_reads_go_and_names_of_others_stay(store: Store) -> None:
    """What is not named as ours, or is of a use case that nothing here tells of, is never touched."""
    store.run(shop())
    others = [f"shoes-{DIGEST}", f"{NAME}-{DIGEST}0", f"{NAME}-other", NAME]
    values(store, f"{NAME}-{DIGEST}", *others)
    assert online_found(store) == [f"{NAME}-{DIGEST}"]
    store.collect()
    assert store.engines.online.names() == sorted([*others, shop().online_name])


def test_values_of_a_use_case_that_can_be_found_stay(store: Store) -> None:
    store.run(shop())
    tried = shop(window=30)
    values(store, tried.online_name)
    assert online_found(store) == [tried.online_name]
    retention = type(store.retention)(engines=store.engines, definitions=[tried])
    assert retention.garbage() == []


def test_values_of_definitions_that_are_tried_stay_until_others_are(store: Store) -> None:
    """The last run's stay though it was rejected and never registered; the ones before go."""
    store.run(shop())
    store.run(shop(window=30, floor=0.99), seed=1)
    assert online_found(store) == []


def test_values_came_into_use_since_they_were_found(store: Store) -> None:
    store.run(shop())
    tried = shop(window=30)
    values(store, tried.online_name)
    (found,) = store.found()
    store.run(tried.model_copy(update={"gate": shop(floor=0.99).gate}), seed=1)
    assert not found.remove()


class OldRegistry(MemoryModelRegistry):
    """Its versions were registered by another version of this software."""

    def versions(self, name: str) -> list[ModelVersion]:
        return [one.model_copy(update={"use_case": '{"name": "shop"}'}) for one in super().versions(name)]


def test_no_values_go_when_definitions_of_a_version_cannot_be_read(store: Store) -> None:
    """Nobody knows then which of them are that version's."""
    store.run(shop())
    values(store, f"{NAME}-{DIGEST}")
    assert online_found(store) == [f"{NAME}-{DIGEST}"]
    vars(registry := OldRegistry()).update(vars(store.engines.registry))
    store.engines.registry = registry
    assert online_found(store) == []


def release(store: Store, name: str) -> Path:
    """A folder beside the releases."""
    folder = store.home / "releases" / NAME / name
    (folder / "model").mkdir(parents=True)
    (folder / "model" / "model.json").write_text("{}")
    return folder


def test_releases_that_nobody_knows_go(store: Store) -> None:
    """Not the current one, those that served, nor anything that is named otherwise."""
    store.run(shop())
    store.run(shop(), seed=1)
    known = set((store.home / "releases" / NAME).iterdir())
    unknown, strange = release(store, f"9-{DIGEST}"), release(store, "notes")
    (found,) = [one.item for one in store.found() if one.item.kind == "release"]
    assert found.what == f"releases/{NAME}/{unknown.name}"
    assert found.why == "neither registry nor ledger knows version 9 with that digest"
    store.collect()
    assert set((store.home / "releases" / NAME).iterdir()) == {*known, strange}


def test_a_release_that_is_current_by_now_stays(store: Store) -> None:
    store.run(shop())
    current = store.engines.deployer.current(NAME)
    folder = store.home / current.uri
    assert not store.engines.deployer.discard(NAME, folder)
    assert folder.is_dir()


def test_no_release_goes_when_the_pointer_cannot_be_read(store: Store) -> None:
    store.run(shop())
    release(store, f"9-{DIGEST}")
    (store.home / "releases" / NAME / "current.json").write_text("?")
    assert [one.item.kind for one in store.found() if one.item.kind == "release"] == []


def test_remains_of_killed_processes_go(store: Store) -> None:
    """Drafts, scratch folders, half-made releases, events that no version names, files written aside."""
    store.run(shop())
    (events,) = (store.home / "features" / NAME).iterdir()
    remains = [
        store.home / "stages" / "training_set" / f".{DIGEST}.draft",
        store.home / ".scratch-7",
        store.home / "releases" / NAME / f".draft-3-{DIGEST}",
    ]
    for folder in remains:
        folder.mkdir(parents=True)
        (folder / "half").write_text("half")
    files = [
        events / f"{DIGEST}.parquet",
        events / ".versions.json.new",
        store.home / "runs" / NAME / ".gate.json.0123",
    ]
    for file in files:
        file.write_text("half")
    assert store.found(HOUR) == []
    found = {one.item.what: one.item for one in store.found()}
    assert set(found) == {path.relative_to(store.home).as_posix() for path in (*remains, *files)}
    assert {one.kind for one in found.values()} == {"debris"}
    for path in (*remains, *files):
        os.utime(path, (time.time() - 7200,) * 2)
    assert len(store.found(HOUR)) == len(found)
    store.collect()
    assert not any(path.exists() for path in (*remains, *files))
    store.run(shop())


def test_what_somebody_works_in_is_no_debris(store: Store) -> None:
    """Their locks are held."""
    store.run(shop())
    workspace = store.engines.workspace
    draft = store.home / "stages" / "training_set" / f".{DIGEST}.draft"
    draft.mkdir()
    with workspace.scratch(), workspace.lock(f"training_set-{DIGEST}"):
        assert store.found() == []
    assert [one.item.what for one in store.found()] == [f"stages/training_set/.{DIGEST}.draft"]
