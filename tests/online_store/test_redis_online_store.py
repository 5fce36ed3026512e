"""What only Redis does: keep a set as one hash, evict it, hold what is not ours."""

from __future__ import annotations

import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
import redis

from mlops_core.adapters.online_store import redis as adapter
from mlops_core.adapters.online_store.redis import RedisOnlineStore
from mlops_core.errors import IntegrityError, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = datetime(2024, 3, 31, tzinfo=UTC)
HASH = "{mlops:churn}"


def values(number: int, rows: int = 3) -> pa.Table:
    """Feature `n` of some customers."""
    return pa.table({"customer": list(range(rows)), "n": [number] * rows})


@pytest.fixture
def url(redis_url: Callable[[], str]) -> str:
    """The URL of an empty database."""
    return redis_url()


@pytest.fixture
def client(url: str) -> Iterator[redis.Redis]:
    """A client of that database."""
    with closing(redis.Redis.from_url(url)) as client:
        yield client


@pytest.mark.live
def test_only_what_changed_is_sent(url: str, client: redis.Redis) -> None:
    """One row differs, one is new, one left; the same values at a later instant send no row."""
    store = RedisOnlineStore(url)
    store.write("churn", pa.table({"customer": range(1_000), "n": range(1_000)}), ["customer"], T)
    changed = pa.table({"customer": range(1, 1_001), "n": [*range(1, 7), -7, *range(8, 1_001)]})
    sent = []
    with client.monitor() as monitor:  # type: ignore[no-untyped-call] # redis-py left it out
        for days in range(3):
            store.write("churn", changed, ["customer"], T + timedelta(days=days))
        client.echo("that was all")
        for command in monitor.listen():
            words = command["command"].split()
            sent.append(words[:1] + [word for word in words[2:] if word.isdigit()])
            if words[0] == "ECHO":
                break
    written = [words for words in sent if words[0] in ("HSET", "HDEL")]
    assert [words for words in written if len(words) > 1] == [["HSET", "7", "1000"], ["HDEL", "0"]]
    assert len(written) == 4  # and the description alone, twice
    assert store.read("churn", [0, 7, 1_000]) == [None, {"n": -7}, {"n": 1_000}]


@pytest.mark.live
@pytest.mark.parametrize("rows", [3, 20_000])
def test_a_set_is_one_hash_that_never_expires(url: str, client: redis.Redis, rows: int) -> None:
    """However many rows it was loaded with; no draft is left over."""
    store = RedisOnlineStore(url)
    for number in range(2):
        store.write("churn", values(number, rows), ["customer"], T + timedelta(days=number))
    assert client.keys() == [HASH.encode()]
    assert client.ttl(HASH) == -1
    assert client.hlen(HASH) == rows + 1


@pytest.mark.live
def test_the_draft_of_a_killed_writer_expires(
    url: str, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And is no set; here the second part of the draft is never sent, nor its removal."""
    store = RedisOnlineStore(url)
    monkeypatch.setattr(adapter, "_DRAFT_SECONDS", 1)
    put = adapter._put
    parts = iter([1])

    def killed(*arguments: object) -> None:
        next(parts)  # raises StopIteration, which no one expects
        put(*arguments)  # type: ignore[arg-type] # handed on as they came

    monkeypatch.setattr(adapter, "_put", killed)
    monkeypatch.setattr(redis.Redis, "unlink", lambda *_: None)
    with pytest.raises((RuntimeError, StopIteration)):
        store.write("churn", values(1, rows=20_000), ["customer"], T)
    assert len(client.keys("{mlops:churn}:draft:*")) == 1
    assert store.names() == []
    end = time.monotonic() + 20
    while client.keys() and time.monotonic() < end:
        time.sleep(0.1)
    assert client.keys() == []


@pytest.mark.live
def test_an_evicted_set_is_not_there_and_can_be_written_again(url: str, client: redis.Redis) -> None:
    """It goes whole, so no reader takes it for a set without entities."""
    store = RedisOnlineStore(url)
    state = store.write("churn", values(1), ["customer"], T)
    client.delete(HASH)
    assert store.state("churn") is None
    with pytest.raises(NotFound, match=r"the server removed them\. Materialise"):
        store.read("churn", [1])
    assert store.write("churn", values(1), ["customer"], T) == state
    assert store.read("churn", [1]) == [{"n": 1}]


@pytest.mark.live
@pytest.mark.parametrize("content", [b"[", b"{}", b"5", b"null", b'{"state": {"as_of": "x"}}', b"\xff"])
def test_what_cannot_be_ours_is_never_served(url: str, client: redis.Redis, content: bytes) -> None:
    """A description that is none; dropping the set is the way out."""
    store = RedisOnlineStore(url)
    store.write("churn", values(1), ["customer"], T)
    client.hset(HASH, "", content)
    for call in (
        lambda: store.read("churn", [1]),
        lambda: store.state("churn"),
        lambda: store.write("churn", values(1), ["customer"], T),
    ):
        with pytest.raises(IntegrityError, match=r"\{mlops:churn\}.* damaged: .* materialise them again"):
            call()
    store.drop("churn")
    store.write("churn", values(1), ["customer"], T)
    assert store.read("churn", [1]) == [{"n": 1}]


@pytest.mark.live
def test_a_key_of_another_kind_and_a_row_of_another_length_are_named(url: str, client: redis.Redis) -> None:
    """Someone else's text under our name, and a row that is too short."""
    store = RedisOnlineStore(url)
    store.write("churn", values(1), ["customer"], T)
    client.hset(HASH, "1", "short")
    with pytest.raises(IntegrityError, match="damaged"):
        store.read("churn", [1])
    client.set(HASH, "text")
    for call in (lambda: store.read("churn", [1]), lambda: store.write("churn", values(1), ["customer"], T)):
        with pytest.raises(IntegrityError, match=r"it is no hash\. Delete that key"):
            call()
    assert store.names() == []
