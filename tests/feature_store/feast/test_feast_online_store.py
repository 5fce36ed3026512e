from __future__ import annotations

import json
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from mlops_core.adapters.feature_store.feast_process import FeastProcess
from mlops_core.adapters.online_store.feast import FeastOnlineStore
from mlops_core.adapters.online_store.memory import MemoryOnlineStore
from mlops_core.errors import DataError, MlopsError, NotFound, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from mlops_core.adapters.feature_store.feast import FeastOfflineStore

pytestmark = pytest.mark.live

START = datetime(2024, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
BIG = 2**60 + 1


@pytest.fixture(scope="module")
def process(feast_python: Path) -> Iterator[FeastProcess]:
    """One process of Feast's for all stores of this file."""
    with FeastProcess(feast_python) as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the store is; nothing is there yet."""
    return tmp_path / "on line" / "it's"


@pytest.fixture
def store(folder: Path, process: FeastProcess) -> FeastOnlineStore:
    """An empty store."""
    return FeastOnlineStore(folder, process=process)


def table(**columns: Sequence[object]) -> pa.Table:
    """Online values; key columns come first."""
    return pa.table(columns)


def test_values_are_read_as_they_were_written(store: FeastOnlineStore) -> None:
    values = table(id=[3, 1, 2], a=[5, BIG, None], b=[0.1, None, None])
    state = store.write("set", values, ["id"], START)
    assert state == MemoryOnlineStore().write("set", values, ["id"], START)
    assert store.read("set", [2, 9, 1, 2, 3]) == [
        {"a": None, "b": None},
        None,
        {"a": BIG, "b": None},
        {"a": None, "b": None},
        {"a": 5, "b": 0.1},
    ]
    assert store.state("set") == state
    assert store.names() == ["set"]


def test_keys_are_typed(store: FeastOnlineStore) -> None:
    store.write("numbers", table(id=[1], a=[1]), ["id"], START)
    store.write("texts", table(id=["1"], a=[2]), ["id"], START)
    assert store.read("numbers", ["1", True, (1,), 2**70, 1]) == [None, None, None, None, {"a": 1}]
    assert store.read("texts", [1, "\ud800", "1"]) == [None, None, {"a": 2}]


def test_composite_keys_do_not_collide(store: FeastOnlineStore) -> None:
    store.write("set", table(x=["1", "11"], y=["11", "1"], a=[1, 2]), ["x", "y"], START)
    assert store.read("set", [("11", "1"), ("1", "11"), ("1", "1"), ("1", 11), "1"]) == [
        {"a": 2},
        {"a": 1},
        None,
        None,
        None,
    ]


def test_what_is_no_longer_written_is_gone(store: FeastOnlineStore) -> None:
    store.write("set", table(id=[1, 2], a=[1, 2]), ["id"], START)
    store.write("set", table(id=[2], b=[3.5]), ["id"], START + HOUR)
    assert store.read("set", [1, 2]) == [None, {"b": 3.5}]


def test_values_as_of_an_earlier_instant_change_nothing(store: FeastOnlineStore) -> None:
    kept = store.write("set", table(id=[1], a=[1]), ["id"], START)
    assert store.write("set", table(id=[1], a=[2]), ["id"], START - HOUR) == kept
    assert store.read("set", [1]) == [{"a": 1}]


def test_the_same_values_later_are_not_written_again(
    store: FeastOnlineStore, folder: Path, process: FeastProcess
) -> None:
    store.write("set", table(id=[1], a=[1]), ["id"], START)
    before = sorted(folder.glob("data/*"))
    state = store.write("set", table(id=[1], a=[1]), ["id"], START + HOUR)
    assert state.as_of == START + HOUR
    assert FeastOnlineStore(folder, process=process).state("set") == state
    assert sorted(folder.glob("data/*")) == before


def test_a_set_without_rows_is_a_set(store: FeastOnlineStore) -> None:
    empty = pa.table({"id": pa.array([], pa.int64()), "a": pa.array([], pa.float64())})
    assert store.write("set", empty, ["id"], START).rows == 0
    assert store.read("set", [1]) == [None]
    assert store.read("set", []) == []


def test_a_set_of_any_name_can_be_dropped(store: FeastOnlineStore, folder: Path) -> None:
    for name in ("a/b", "../c", "ü 'q'"):
        store.write(name, table(id=[1], a=[1]), ["id"], START)
    store.drop("a/b")
    store.drop("never there")
    assert store.names() == ["../c", "ü 'q'"]
    assert store.state("a/b") is None
    with pytest.raises(NotFound, match="no online values of 'a/b'"):
        store.read("a/b", [1])
    store.write("a/b", table(id=[2], b=[2]), ["id"], START)
    assert store.read("a/b", [1, 2]) == [None, {"b": 2}]
    assert not list(folder.parent.glob("*.json"))


def test_more_keys_than_sqlite_takes_at_once_are_read(store: FeastOnlineStore) -> None:
    store.write("set", table(id=list(range(1_200)), a=list(range(1_200))), ["id"], START)
    assert store.read("set", list(range(1_201))) == [*({"a": one} for one in range(1_200)), None]


def test_a_reader_in_another_process_sees_the_next_values(
    store: FeastOnlineStore, folder: Path, feast_python: Path
) -> None:
    store.write("set", table(id=[1], a=[1]), ["id"], START)
    with FeastProcess(feast_python) as another:
        reader = FeastOnlineStore(folder, process=another)
        assert reader.read("set", [1]) == [{"a": 1}]
        for number in (2, 3):
            store.write("set", table(id=[1], **{f"b{number}": [number]}), ["id"], START + number * HOUR)
        assert reader.read("set", [1]) == [{"b3": 3}]


def test_readers_see_all_of_the_old_values_or_all_of_the_new(
    store: FeastOnlineStore, folder: Path, feast_python: Path
) -> None:
    keys = list(range(40))
    store.write("set", table(id=keys, a=[0] * 40), ["id"], START)
    with FeastProcess(feast_python) as another, ThreadPoolExecutor(1) as threads:
        reader = FeastOnlineStore(folder, process=another)
        writing = threads.submit(
            lambda: [
                store.write("set", table(id=keys, a=[number] * 40), ["id"], START + number * HOUR)
                for number in range(1, 30)
            ]
        )
        seen = []
        while not writing.done():
            seen.append({one["a"] if one else None for one in reader.read("set", keys)})
        writing.result()
    assert all(len(values) == 1 and None not in values for values in seen)
    assert store.read("set", [0]) == [{"a": 29}]


def test_a_write_that_was_interrupted_leaves_nothing_behind(
    store: FeastOnlineStore, folder: Path, feast_python: Path
) -> None:
    store.write("set", table(id=[1], a=[1]), ["id"], START)
    rows = 20_000
    with FeastProcess(feast_python, timeout=60) as doomed:
        writer = FeastOnlineStore(folder, process=doomed)
        assert writer.read("set", [1]) == [{"a": 1}]
        doomed.timeout = 0.2
        with pytest.raises(Unavailable, match=r"did not answer within 0.2 seconds"):
            writer.write("set", table(id=list(range(rows)), a=[9] * rows), ["id"], START + HOUR)
    assert store.read("set", [1, 2]) == [{"a": 1}, None]
    store.write("set", table(id=[1], a=[2]), ["id"], START + HOUR)
    store.write("set", table(id=[1], a=[3]), ["id"], START + 2 * HOUR)
    assert store.read("set", [1, 2]) == [{"a": 3}, None]
    assert len(list(folder.glob("data/*.parquet"))) == 2  # the values and those before


def test_a_table_without_its_key_is_refused(store: FeastOnlineStore) -> None:
    with pytest.raises(DataError, match="online values need one column for each key"):
        store.write("set", table(a=[1]), ["id"], START)


def test_feasts_own_words_come_with_what_failed(folder: Path, process: FeastProcess) -> None:
    store = FeastOnlineStore(folder, process=process, online={"type": "no_such_store"})
    with pytest.raises(MlopsError, match=r"Feast failed: .*no_such_store"):
        store.write("set", table(id=[1], a=[1]), ["id"], START)
    assert store.state("set") is None


def test_the_folder_is_a_repository_of_feasts(store: FeastOnlineStore, folder: Path) -> None:
    store.write("set", table(id=[1], a=[1]), ["id"], START)
    configuration = json.loads((folder / "feature_store.yaml").read_text())
    assert configuration["online_store"] == {"type": "sqlite", "path": "online.db"}
    assert (folder / "online.db").exists()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[int]:
    """The port of a Redis server that keeps nothing."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    words = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(tmp_path)]
    server = subprocess.Popen(["redis-server", *words], stdout=subprocess.PIPE)  # noqa: S603, S607 - ours, on PATH
    try:
        assert server.stdout is not None
        assert any(b"Ready to accept connections" in line for line in server.stdout)
        yield port
    finally:
        server.terminate()
        server.communicate()


def test_redis_is_one_of_feasts_stores(folder: Path, process: FeastProcess, redis: int) -> None:
    online = {"type": "redis", "connection_string": f"127.0.0.1:{redis}"}
    store = FeastOnlineStore(folder, process=process, online=online)
    store.write("set", table(id=[1, 2], a=[BIG, None]), ["id"], START)
    assert store.read("set", [2, 1, 3]) == [{"a": None}, {"a": BIG}, None]
    store.write("set", table(id=[2], a=[7]), ["id"], START + HOUR)
    assert store.read("set", [1, 2]) == [None, {"a": 7}]
    store.drop("set")
    assert store.names() == []


def test_a_store_out_of_reach_may_come_back(folder: Path, process: FeastProcess) -> None:
    online = {"type": "redis", "connection_string": "127.0.0.1:1"}
    store = FeastOnlineStore(folder, process=process, online=online)
    with pytest.raises(Unavailable, match="Feast cannot reach its store"):
        store.write("set", table(id=[1], a=[1]), ["id"], START)


def test_online_values_are_those_read_offline(
    store: FeastOnlineStore, offline: FeastOfflineStore, make_shop: Callable[..., Any]
) -> None:
    shop = make_shop(ttl=36 * HOUR)
    use_case, events, spine = shop.use_case, shop.events, shop.spine
    now = spine.slice(0, 1).drop_columns(["number"])  # one moment: the rows of now
    values = offline.features(use_case, events, now)
    keys = list(use_case.entity.keys)
    store.write(use_case.online_name, values.drop_columns(["event_timestamp"]), keys, START)
    asked = [tuple(row[key] for key in keys) for row in now.to_pylist()]
    expected = [{name: row[name] for name in use_case.joined_names} for row in values.to_pylist()]
    assert store.read(use_case.online_name, asked) == expected
