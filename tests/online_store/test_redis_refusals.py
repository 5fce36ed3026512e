"""A Redis server that is away, refuses, is full or hangs up: what is said, and that old values stay."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pyarrow as pa
import pytest
import redis

from mlops_core.adapters.online_store import redis as adapter
from mlops_core.adapters.online_store.redis import RedisOnlineStore
from mlops_core.errors import BadInput, MlopsError, Unavailable

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
def test_a_full_server_changes_nothing(url: str, client: redis.Redis) -> None:
    """Whether it says so for one transaction or in the middle of a draft."""
    store = RedisOnlineStore(url)
    state = store.write("churn", values(1), ["customer"], T)
    client.config_set("maxmemory", "1")
    try:
        for rows in (4_000, 20_000):
            with pytest.raises(MlopsError, match="Raise its maxmemory"):
                store.write("churn", values(2, rows), ["customer"], T)
    finally:
        client.config_set("maxmemory", "0")
    assert store.state("churn") == state
    assert store.read("churn", [1, 3]) == [{"n": 1}, None]
    assert client.keys() == [HASH.encode()]


@pytest.mark.live
def test_a_server_that_refuses_says_what_to_do(url: str, client: redis.Redis) -> None:
    """A replica does not take writes, a user without rights nothing, a wrong password neither."""
    store = RedisOnlineStore(url)
    client.replicaof("127.0.0.1", "1")
    try:
        with pytest.raises(Unavailable, match=r"ReadOnlyError.* URL of the primary"):
            store.write("churn", values(1), ["customer"], T)
    finally:
        client.replicaof("NO", "ONE")
    client.acl_setuser("reader", enabled=True, passwords=["+secret"], commands=["+ping"], keys=["*"])
    for password in ("secret", "wrong-one"):
        other = RedisOnlineStore(url.replace("//", f"//reader:{password}@"))
        with pytest.raises(MlopsError, match="Put a user and password") as refused:
            other.read("churn", [1])
        assert not isinstance(refused.value, Unavailable)
        assert password not in str(refused.value)


def test_a_server_that_is_away_is_unavailable() -> None:
    """Named without its password."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    store = RedisOnlineStore(f"redis://me:secret@127.0.0.1:{port}/0?client_name=secret")
    for call in (lambda: store.read("churn", [1]), lambda: store.write("churn", values(1), ["customer"], T)):
        with pytest.raises(Unavailable, match=rf"Redis at redis://127\.0\.0\.1:{port}/0: .* refused") as away:
            call()
        assert "secret" not in str(away.value)


def test_a_server_that_does_not_answer_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes the connection and says nothing."""
    monkeypatch.setattr(adapter, "_ANSWER_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        store = RedisOnlineStore(f"redis://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(Unavailable, match="TimeoutError"):
            store.state("churn")
        store.close()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:6379",
        "http://localhost:6379",
        "redis://",
        "redis://u:secret@host:port",
        "redis://u:secret@[::1",
        "redis://u:secret@localhost:99999",
        "redis://localhost?no_such_option=secret",
        "redis://localhost?socket_timeout=secret",
    ],
)
def test_a_url_that_is_none_is_refused(url: str) -> None:
    """When the store is made, before anything is sent, and without saying what may be a password."""
    with pytest.raises(BadInput, match="redis://HOST:PORT/DB") as refused:
        RedisOnlineStore(url)
    assert "secret" not in str(refused.value)


def test_without_the_package_the_extra_is_named() -> None:
    """Whoever chose Redis is told what to install."""
    code = (
        "import sys; sys.modules['redis'] = None\n"
        "from mlops_core.errors import MlopsError\n"
        "try:\n    import mlops_core.adapters.online_store.redis\n"
        "except MlopsError as error:\n    assert \"pip install 'mlops-core[redis]'\" in str(error)\n"
        "else:\n    raise SystemExit('imported')"
    )
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603 - this very interpreter, code of ours


@contextmanager
def hanging_up(url: str, left: list[int]) -> Iterator[str]:
    """The URL of a way to the server that ends for good when the bytes that are `left` were sent."""
    target = urlsplit(url)

    def forward(source: socket.socket, sink: socket.socket, *, counted: bool) -> None:
        with suppress(OSError):
            while data := source.recv(4_096):
                if counted:
                    data = data[: left[0]]
                    left[0] -= len(data)
                sink.sendall(data)
                if counted and left[0] <= 0:
                    break
        for one in (source, sink):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def serve(front: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = front.accept()
                with near, socket.create_connection(("127.0.0.1", target.port or 0)) as far:
                    back = threading.Thread(target=forward, args=(far, near), kwargs={"counted": False})
                    back.start()
                    forward(near, far, counted=True)
                    back.join()

    with socket.create_server(("127.0.0.1", 0)) as front:
        server = threading.Thread(target=serve, args=(front,))
        server.start()
        try:
            yield f"redis://127.0.0.1:{front.getsockname()[1]}{target.path}"
        finally:
            front.shutdown(socket.SHUT_RDWR)
            server.join()


@pytest.mark.live
def test_a_connection_that_ends_midway_leaves_the_old_values(url: str) -> None:
    """Wherever in watch, comparison or transaction it ends, up to the last byte."""
    store = RedisOnlineStore(url)

    def write(number: int, left: list[int]) -> None:
        with hanging_up(url, left) as way, closing(RedisOnlineStore(way)) as other:
            other.write("churn", values(number, rows=1_000), ["customer"], T + timedelta(days=number))

    write(1, [10**9])
    left = [10**9]
    write(2, left)
    sent = 10**9 - left[0]
    state = store.state("churn")
    for missing in (1, 10, 100, 1_000, 10_000, sent - 100, sent - 1):
        with pytest.raises(Unavailable):
            write(3, [sent - missing])
        assert store.state("churn") == state
        assert store.read("churn", range(1_000)) == [{"n": 2}] * 1_000
    write(3, [10**9])
    assert store.read("churn", range(1_000)) == [{"n": 3}] * 1_000
