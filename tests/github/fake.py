"""A GitHub of one's own on loopback: the few REST operations that we use, kept in memory, forgetting nothing.

    python -m tests.github.fake --port 0          # prints its URL, such as http://127.0.0.1:40123

Give that URL as MLOPS_GITHUB_API, `acme/churn` as MLOPS_GITHUB_REPOSITORY and `made-up-token` as
GITHUB_TOKEN (--repository, --token: others). Every request and every answer is checked against GitHub's
published OpenAPI (`api.json`); what breaks it is answered 422, or 500 where it is the fake that does, and
kept as a complaint.
A deployment is made for the branch `main` alone (--ref), and the one workflow is deliver.yml, whose
inputs are use_case, version, digest, target and deployment. With --old it dispatches as GitHub did
before February 2026: the answer is 204, without the run.

Beside the API, for whoever arranges a scene (no token needed):

    GET  /_state           everything, as JSON: {"deployments": [{…}], "statuses": {"1": [{…}]}, "runs":
                           [{…, "inputs": {…}}], "reviews": {"*": […]}, "comments": {"7": [{…}]},
                           "requests": ["POST /repos/acme/churn/deployments 201", …], "complaints": [],
                           "faults": […]}; oldest first everywhere
    POST /_reviews/RUN_ID  [{"state": "approved", "login": "ann", "comment": "good", "environments":
                           ["production"]}]: what reviewers said of that run; RUN_ID `*`: of every run,
                           also of such as were never dispatched here (act has numbers of its own).
                           state: approved, rejected
    POST /_faults          [{"request": 1, "kind": "answer", "status": 502}]: what goes wrong with a
                           request, counted from now, 1 being the next; see `Fault`

A run gets its number when it is dispatched, from 9001 on, and the title "deliver USE_CASE VERSION (deployment
ID)", as deliver.yml's `run-name` has it; it is not run. Deployments count from 1. curl does for all of it:

    curl -s -d '[{"state": "approved", "login": "ann", "comment": "", "environments": ["production"]}]' \\
        "$URL/_reviews/*"
"""

from __future__ import annotations

import argparse
import json
import threading
import time
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.github.memory import Answer, Memory, Problem
from tests.github.schema import Schema

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType
    from typing import Self

TOKEN = "made-up-token"  # noqa: S105 - it opens nothing but this fake
REPOSITORY = "acme/churn"


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one request.

    `hang up before` closes the connection and does nothing, `hang up after` does it and then closes; `answer`
    answers `status` with `headers` and `message` in place of doing it, `answer after` having done it; `slow`
    waits for `seconds` first.
    """

    kind: Literal["hang up before", "hang up after", "answer", "answer after", "slow"]
    status: int = 502
    headers: Mapping[str, str] = field(default_factory=dict)
    message: str = "Server Error"
    seconds: float = 0.0


class FakeGitHub:
    """The server, from `with` to its end; `url` is where it listens."""

    def __init__(
        self, *, port: int = 0, repository: str = REPOSITORY, token: str = TOKEN, **kinds: Any
    ) -> None:
        self.repository, self.token = repository, token
        self.schema, self.lock = Schema(), threading.Lock()
        self.faults: dict[int, Fault] = {}
        self.requests: list[str] = []
        self.heard: list[Mapping[str, str]] = []
        self.complaints: list[str] = []
        self._server = ThreadingHTTPServer(
            ("127.0.0.1", port), type("Handler", (_Handler,), {"github": self})
        )
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.memory = Memory(repository=repository, url=self.url, **kinds)

    def __enter__(self) -> Self:
        # Looked at often whether it is to end: by default that alone takes half a second.
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def wait(self) -> None:
        """Serve until interrupted."""
        self._server.serve_forever()

    def fail(self, *faults: Fault | None) -> None:
        """The next requests fail so, one each in this order; None: that one goes well."""
        now = len(self.requests)
        self.faults = {now + number: fault for number, fault in enumerate(faults, 1) if fault is not None}

    def state(self) -> dict[str, Any]:
        """Everything, as `GET /_state` gives it."""
        with self.lock:
            faults = [{"request": number, **asdict(fault)} for number, fault in sorted(self.faults.items())]
            return {
                **self.memory.state(),
                "requests": list(self.requests),
                "complaints": list(self.complaints),
                "faults": faults,
            }

    def told(self, path: str, body: Any) -> None:
        """What `/_reviews/RUN_ID` and `/_faults` are told."""
        if path == "/_faults":
            now = len(self.requests)
            self.faults = {now + one.pop("request"): Fault(**one) for one in body}
        else:
            self.memory.review(path.removeprefix("/_reviews/"), body)

    def serve(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer | None:
        """Answer a request, or go wrong with it as was arranged; None: hang up."""
        with self.lock:
            self.requests.append("")
            self.heard.append(headers)
            place, fault = len(self.requests) - 1, self.faults.pop(len(self.requests), None)
        kind = None if fault is None else fault.kind
        if fault is not None and kind == "slow":
            time.sleep(fault.seconds)
        with self.lock:
            undone = kind in ("hang up before", "answer")
            answer = None if undone else self.do(method, target, headers, body)
            if fault is not None and kind in ("answer", "answer after"):
                answer = Answer(fault.status, {"message": fault.message}, fault.headers)
            if kind == "hang up after":
                answer = None
            self.requests[place] = f"{method} {target} {kind if answer is None else answer.status}"
        return answer

    def do(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answer a request of the API as GitHub would."""
        split = urlsplit(target)
        if headers.get("Authorization") != f"Bearer {self.token}":
            return Answer(401, {"message": "Bad credentials", "documentation_url": "https://docs.github.com"})
        asked = self.schema.asked(method, unquote(split.path))
        if asked is None or asked.values["owner"] + "/" + asked.values["repo"] != self.repository:
            return Answer(404, {"message": "Not Found", "documentation_url": "https://docs.github.com"})
        query = dict(parse_qsl(split.query))
        said = json.loads(body) if body else None
        wrong = self.schema.wrong_request(asked, headers, query, said)
        if wrong:
            self.complaints += wrong
            return Answer(422, {"message": "; ".join(wrong), "documentation_url": "https://docs.github.com"})
        try:
            answer = self.memory.operate(asked.operation, asked.values, query, said)
        except Problem as problem:
            answer = problem.answer
        wrong = self.schema.wrong_answer(asked, answer)
        if wrong:
            self.complaints += wrong
            return Answer(500, {"message": f"the fake is wrong: {'; '.join(wrong)}"})
        return answer


class _Handler(BaseHTTPRequestHandler):
    github: ClassVar[FakeGitHub]
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer in one piece: in two, each waits 40 ms for the other's acknowledgement

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is http.server's
        """Nothing: `requests` tells."""

    def do_GET(self) -> None:
        self._arranged() if self.path.startswith("/_") else self._asked("GET")

    def do_POST(self) -> None:
        self._arranged() if self.path.startswith("/_") else self._asked("POST")

    def do_PATCH(self) -> None:
        self._asked("PATCH")

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _arranged(self) -> None:
        body = self._body()
        if self.command == "POST":
            with self.github.lock:
                self.github.told(unquote(self.path), json.loads(body))
        self._send(Answer(200, self.github.state()))

    def _asked(self, method: str) -> None:
        answer = self.github.serve(method, self.path, dict(self.headers), self._body())
        if answer is None:
            self.close_connection = True
        else:
            self._send(answer)

    def _send(self, answer: Answer) -> None:
        content = b"" if answer.body is None else json.dumps(answer.body).encode()
        self.send_response(answer.status)
        for name, value in {"Content-Type": "application/json; charset=utf-8", **answer.headers}.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def main(words: Sequence[str] | None = None) -> None:
    """Serve until interrupted or ended."""
    parser = argparse.ArgumentParser(description="A GitHub on loopback, in memory.")
    parser.add_argument("--port", type=int, default=0, help="0: a free one")
    parser.add_argument("--repository", default=REPOSITORY)
    parser.add_argument("--token", default=TOKEN)
    parser.add_argument("--ref", default="main", help="the one branch that there is")
    parser.add_argument("--old", action="store_true", help="a dispatch is answered 204")
    told = vars(parser.parse_args(words))
    github = FakeGitHub(**told)
    print(github.url, flush=True)  # noqa: T201 - its only word
    try:
        github.wait()
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
