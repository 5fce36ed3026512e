"""Servers that are stopped, or killed, while they are asked."""

from __future__ import annotations

import json
import signal
import time
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.serving_faults.callers import BODIES, Callers
from benchmarks.serving_faults.shop import WAIT, Shop, until

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.serving_faults.shop import Server

__all__ = ["Killed", "Stopped", "killed", "stopped", "stopped_at_work", "under_way"]

_LOAD = 0.5  # seconds of load before anything happens


class Stopped(NamedTuple):
    """A server after SIGTERM: what callers sent it, what they got, and what it says that it answered."""

    sent: int
    answered: int
    refused: int
    broken: int
    logged: int
    late: int  # of 3 that came on new connections after it had said that it is not ready, those answered
    exit_code: int


class Killed(NamedTuple):
    """A server after SIGKILL, and the one started in its place."""

    sent: int
    answered: int
    refused: int
    broken: dict[str, int]
    damaged: tuple[str, ...]  # files of the state folder that changed
    same: bool  # whether the next server answers as the killed one did


def stopped(folder: Path) -> Stopped:
    """SIGTERM under load; callers go when they are sent away, as a balancer's do. SIGTERM again ends it."""
    shop = Shop(folder)
    shop.deploy(1)
    with shop.serving(drain=WAIT) as server:
        callers = Callers(server, 8)
        with callers.asking():
            time.sleep(_LOAD)
            server.process.send_signal(signal.SIGTERM)
            until(lambda: not server.ready())
            callers.join()
        late = sum("predictions" in _answer(server) for _ in range(3))
        server.process.send_signal(signal.SIGTERM)
        return _stopped(server, callers, late=late)


def stopped_at_work(folder: Path, *, seconds: float = 0.5) -> Stopped:
    """SIGTERM without a drain while every request takes seconds: the door closes, what is inside ends."""
    shop = Shop(folder)
    shop.deploy(1)
    with shop.serving(slow=seconds) as server:
        callers = Callers(server, 8)
        with callers.asking():
            until(lambda: under_way(server) == 8)
            server.process.send_signal(signal.SIGTERM)
            callers.join()
        return _stopped(server, callers, late=0)


def killed(folder: Path) -> Killed:
    """SIGKILL under load, and a new start."""
    shop = Shop(folder)
    shop.deploy(1)
    shop.deploy(2)
    with shop.serving() as server:
        told, files = _answer(server), shop.files()
        callers = Callers(server, 8)
        with callers.asking():
            time.sleep(_LOAD)
            server.process.kill()
            callers.join()
        server.process.wait(WAIT)
    after = shop.files()
    damaged = tuple(
        sorted(name for name in files.keys() | after.keys() if files.get(name) != after.get(name))
    )
    with shop.serving() as server:
        same = _answer(server) == told
    refused = callers.answered - callers.answers[200]
    return Killed(callers.sent, callers.answered, refused, dict(callers.broken), damaged, same)


def _stopped(server: Server, callers: Callers, *, late: int) -> Stopped:
    exit_code = server.process.wait(WAIT)
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    return Stopped(
        sent=callers.sent,
        answered=callers.answered,
        refused=callers.answered - callers.answers[200],
        broken=sum(callers.broken.values()),
        logged=sum(line.get("status") == 200 for line in lines) - late,
        late=late,
        exit_code=exit_code,
    )


def _answer(server: Server) -> dict[str, object]:
    told: dict[str, object] = json.loads(_asked(server, "POST", "/predict", BODIES["/predict"]))
    return told


def under_way(server: Server) -> float:
    """Predictions right now, as the server's figures say."""
    lines = _asked(server, "GET", "/metrics").decode().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("mlops_requests_under_way ")) - 1


def _asked(server: Server, method: str, path: str, body: str | None = None) -> bytes:
    connection = server.connection()
    try:
        connection.request(method, path, body)
        return connection.getresponse().read()
    finally:
        connection.close()
