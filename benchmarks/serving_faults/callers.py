"""Who asks the server all the time, and keeps count of what came."""

from __future__ import annotations

import http.client
import json
import threading
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.serving_faults.shop import Server

__all__ = ["BODIES", "Callers"]

BODIES = {
    "/predict": json.dumps({"ids": [1]}),
    "/v2/models/churn/infer": json.dumps(
        {
            "inputs": [
                {"name": "orders", "shape": [1], "datatype": "FP64", "data": [3]},
                {"name": "basket", "shape": [1], "datatype": "FP64", "data": [20.0]},
            ]
        }
    ),
}


class Callers:
    """So many threads, each with a connection of its own, asking by id and by row in turn.

    A caller stops when the server closes its connection in an answer, or when the connection fails. `sent`
    are requests that were sent whole, `answers` those that were answered by their status, and `broken` those
    that were not, by the kind of error.
    """

    def __init__(self, server: Server, threads: int) -> None:
        self._server = server
        self._threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(threads)]
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self.sent = 0
        self.answers: Counter[int] = Counter()
        self.broken: Counter[str] = Counter()

    @property
    def answered(self) -> int:
        """How many answers came, whatever they said."""
        return sum(self.answers.values())

    @contextmanager
    def asking(self) -> Iterator[None]:
        """While the body runs; who was told to stop by the server has stopped before."""
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join()

    def join(self) -> None:
        """Wait until the server has sent all of them away."""
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        connection = self._server.connection()
        try:
            connection.connect()
            while not self._stop.is_set() and all(self._one(connection, path) for path in BODIES):
                pass
        finally:
            connection.close()

    def _one(self, connection: http.client.HTTPConnection, path: str) -> bool:
        try:
            connection.request("POST", path, BODIES[path])
            with self._lock:
                self.sent += 1
            answer = connection.getresponse()
            content = answer.read()
            json.loads(content)
        except (OSError, http.client.HTTPException) as error:
            with self._lock:
                self.broken[type(error).__name__] += 1
            return False
        with self._lock:
            self.answers[answer.status] += 1
        return answer.getheader("connection") != "close"
