"""What a caller makes of servers that misbehave."""

from __future__ import annotations

import json
import threading
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from mlops_core.canary.caller import Caller

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlops_core.canary.aside import Loaded

GOOD = {"id": 7, "probability": 0.5, "label": True}


@contextmanager
def server(status: int, body: bytes | None) -> Iterator[int]:
    """Answers every request so; hangs up without an answer when there is no body."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            if body is None:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing is logged."""

    with HTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        yield listening.server_port
        listening.shutdown()
        thread.join()


def changed(version: int = 1, **fields: Any) -> bytes:
    return json.dumps({"version": version, "predictions": [GOOD | fields]}).encode()


def test_an_answer_as_it_should_be_is_kept(make: Callable[..., Loaded]) -> None:
    with server(200, changed()) as port, closing(Caller(port, make().release)) as caller:
        caller.predict(7)
    assert (caller.scores, caller.labels, caller.failures) == ({7: 0.5}, {7: True}, [])


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, changed(version=2), "not one finite prediction of this id and version"),
        (200, changed(id=8), "not one finite prediction"),
        (200, changed(id="7"), "not one finite prediction"),
        (200, changed(probability=float("nan")), "not one finite prediction"),
        (200, changed(probability="0.5"), "not one finite prediction"),
        (200, b"[]", "not one finite prediction"),
        (200, b"<html>", "200, and the answer is no JSON"),
        (503, b'{"error": "nothing is online"}', "503, nothing is online"),
        (404, b'"gone"', "404, "),
        (200, None, "no answer (RemoteDisconnected"),
    ],
)
def test_any_other_answer_is_a_failure_that_says_what_came(
    make: Callable[..., Loaded], status: int, body: bytes | None, said: str
) -> None:
    with server(status, body) as port, closing(Caller(port, make().release)) as caller:
        for _ in range(5):
            caller.predict(7)
    assert (caller.scores, caller.asked, caller.given_up) == ({}, 3, True)
    assert said in caller.failures[0]


@pytest.mark.parametrize(
    ("sent", "kept"), [({"prediction": 12.5}, {7: 12.5}), ({"probability": 0.5, "label": True}, {})]
)
def test_a_model_of_a_number_answers_with_a_prediction_alone(
    make: Callable[..., Loaded], sent: dict[str, Any], kept: dict[int, float]
) -> None:
    body = json.dumps({"version": 1, "predictions": [{"id": 7} | sent]}).encode()
    with server(200, body) as port, closing(Caller(port, make(numbers=True).release)) as caller:
        caller.predict(7)
    assert (caller.scores, caller.labels, len(caller.failures)) == (kept, {}, 0 if kept else 1)
