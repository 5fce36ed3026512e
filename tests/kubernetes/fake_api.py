"""A fake API server of Kubernetes, on loopback: the official client talks to it as to a real one.

What it does copies what an API server 1.20 was seen to do (it was built from Debian's source and driven by
the client): server-side apply with an owner for each field, 409 for another manager's, dry runs that leave
nothing, the same resourceVersion for the same object, 422 for bad ports, changed selectors and Service ports
without a protocol, Status objects, the proxies to Services and pods. Objects are checked by the schemas of
kubernetes-validate (1.34), HTTPRoutes by that in schemas.json. Controllers are a few lines each: pods are
servers of ours in this process, started from the variables of their container. There are no watches, no
admission but a quota, no defaults but replicas, no scheduling, and no network: NetworkPolicies are checked,
and obeyed by nobody.
"""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl, urlsplit

from mlops_core.adapters.kubernetes.kinds import KINDS
from tests.kubernetes.pods import Controllers
from tests.kubernetes.store import Refused, Store, status

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["NAMESPACE", "SECRET", "SERVER_TOKEN", "TOKEN", "FakeApi"]

NAMESPACE = "models"
TOKEN = "of-a-person"  # noqa: S105 - nobody's
SECRET = "churn-server"  # noqa: S105 - the name of one
SERVER_TOKEN = "of-the-server-and-its-callers"  # noqa: S105 - nobody's
_PATHS = {f"/{kind.path}/namespaces/{NAMESPACE}/{kind.plural}": kind.plural for kind in KINDS.values()}


class FakeApi:
    """One namespace; `refusing` is answered to every request while it is set, `absent` kinds are unknown."""

    def __init__(self) -> None:
        self.store = Store()
        self.controllers = Controllers(self.store, {SECRET: {"MLOPS_TOKEN": SERVER_TOKEN}})
        self.refusing: Refused | None = None
        self.forbidden: set[tuple[str, str]] = set()
        self.absent: set[str] = set()
        self.asked: list[str] = []
        self._lock, self._turn = threading.Lock(), 0
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(10)
        self.controllers.close()

    def answer(self, method: str, target: str, headers: Any, body: bytes) -> tuple[int, bytes]:
        """Code and body of the answer to a request."""
        with self._lock:
            self.asked.append(f"{method} {target}")
            try:
                if headers.get("Authorization") != f"Bearer {TOKEN}":
                    raise Refused(401, "Unauthorized", "Unauthorized")
                if self.refusing is not None:
                    raise self.refusing
                return self._answered(method, target, headers, body)
            except Refused as refused:
                return refused.code, json.dumps(refused.body).encode()

    def _answered(self, method: str, target: str, headers: Any, body: bytes) -> tuple[int, bytes]:
        parts = urlsplit(target)
        path, query = parts.path, dict(parse_qsl(parts.query))
        found = next((one for one in _PATHS if path == one or path.startswith(f"{one}/")), None)
        if found is None or _PATHS[found] in self.absent:
            return self._elsewhere(method, path)
        plural, rest = _PATHS[found], path.removeprefix(found).strip("/")
        self._permit(method, plural, rest)
        self.controllers.run()
        if "/proxy/" in rest:
            name, _, inner = rest.partition("/proxy/")
            return self._proxied(plural, name.partition(":")[0], method, inner, headers, body)
        answer = self._object(method, plural, rest, query, body)
        return 200, json.dumps(answer).encode()

    def _elsewhere(self, method: str, path: str) -> tuple[int, bytes]:
        """A kind that is not known, or another namespace: in that there is nothing, not even itself."""
        _, _, inner = path.partition("/namespaces/")
        namespace, plural, name = (*inner.split("/"), "", "")[:3]
        if namespace in ("", NAMESPACE):
            return 404, b"404 page not found\n"
        if method == "PATCH":
            missing = f'namespaces "{namespace}" not found'
            raise Refused(404, "NotFound", missing, name=namespace, kind="namespaces")
        if not name:
            return 200, json.dumps({"kind": "List", "items": []}).encode()
        raise Refused(404, "NotFound", f'{plural} "{name}" not found', name=name, kind=plural)

    def _permit(self, method: str, plural: str, rest: str) -> None:
        verb = {"GET": "get" if rest else "list", "PATCH": "patch", "DELETE": "delete", "POST": "create"}[
            method
        ]
        if (verb, plural) in self.forbidden:
            raise Refused(
                403,
                "Forbidden",
                f'{plural} is forbidden: User "ana" cannot {verb} resource "{plural}" in the namespace '
                f'"{NAMESPACE}"',
                kind=plural,
            )

    def _object(self, method: str, plural: str, name: str, query: dict[str, str], body: bytes) -> Any:
        if method == "GET" and not name:
            labels = dict(one.split("=", 1) for one in query.get("labelSelector", "").split(",") if one)
            return {"kind": "List", "items": self._list(plural, labels)}
        if method == "GET":
            return self.store.get(plural, name)
        if method == "DELETE":
            self.store.delete(plural, name)
            return {"kind": "Status", "status": "Success"}
        made = json.loads(body)
        dry = query.get("dryRun") == "All"
        force = query["force"] == "true"
        return self.store.apply(plural, made, query["fieldManager"], force=force, dry=dry)

    def _list(self, plural: str, labels: dict[str, str]) -> list[dict[str, Any]]:
        if plural == "pods":
            return self.controllers.pods(labels)
        if plural == "endpointslices":
            return self.controllers.slices(labels["kubernetes.io/service-name"])
        return self.store.chosen(plural, labels)

    def _proxied(
        self, plural: str, name: str, method: str, path: str, headers: Any, body: bytes
    ) -> tuple[int, bytes]:
        """The proxy keeps `Authorization`, so servers know a token by another header."""
        if headers.get("X-Mlops-Token") != SERVER_TOKEN:
            return 401, b'{"error": "this server wants a token"}'
        if plural == "pods":
            pods = [one for one in self.controllers.pods({}, ready=True) if one["metadata"]["name"] == name]
        else:
            pods = self.controllers.pods(self.store.get(plural, name)["spec"]["selector"], ready=True)
        if not pods:
            message = f'no endpoints available for service "{name}"'
            return 503, json.dumps(status(503, "ServiceUnavailable", message)).encode()
        return self.controllers.answer(pods[0], method, path, body)

    def forget_idle(self) -> None:
        """Delete the Deployments that no model's Service selects, as somebody who tidies up does."""
        with self._lock:
            used = [one["spec"]["selector"]["mlops/release"] for one in self._models()]
            for made in self.store.chosen("deployments", {}):
                if made["metadata"]["labels"]["mlops/release"] not in used:
                    self.store.delete("deployments", made["metadata"]["name"])

    def _models(self) -> list[dict[str, Any]]:
        services = self.store.chosen("services", {})
        return [one for one in services if "mlops/release" not in one["metadata"]["labels"]]

    def through_service(self, name: str, path: str, body: Any) -> tuple[int, Any]:
        """The answer to a caller in the cluster, who asks a Service."""
        with self._lock:
            self.controllers.run()
            return self._asked(name, path, body)

    def through_gateway(self, route: str, path: str, body: Any, draw: int) -> tuple[int, Any]:
        """The answer to a caller from outside; `draw` of 0 to 99 decides between the weights."""
        with self._lock:
            self.controllers.run()
            rules = self.store.get("httproutes", route)["spec"]["rules"]
            rule, renamed = _matching(rules, path)
            for copied in (one for one in rule.get("filters", ()) if one["type"] == "RequestMirror"):
                if draw < copied["requestMirror"]["percent"]:
                    with suppress(Refused, AssertionError):  # what becomes of a copy is nobody's answer
                        self._asked(copied["requestMirror"]["backendRef"]["name"], renamed, body)
            for backend in rule["backendRefs"]:
                draw -= backend["weight"]
                if draw < 0:
                    return self._asked(backend["name"], renamed, body)
            raise AssertionError(f"the weights of {route} come to less than 100")

    def _asked(self, service: str, path: str, body: Any) -> tuple[int, Any]:
        selector = self.store.get("services", service)["spec"]["selector"]
        pods = self.controllers.pods(selector, ready=True)
        assert pods, f"Service {service} leads to nobody"
        content = json.dumps(body).encode()
        self._turn += 1
        pod = pods[self._turn % len(pods)]
        code, answer = self.controllers.answer(pod, "POST", path.strip("/"), content)
        return code, json.loads(answer)


def _matching(rules: list[dict[str, Any]], path: str) -> tuple[dict[str, Any], str]:
    """The rule for a path, and the path as the server gets it."""
    for rule in rules:
        (match,) = rule["matches"]
        value = match["path"]["value"]
        prefix = match["path"]["type"] == "PathPrefix"
        if path == value or (prefix and path.startswith(f"{value}/")):
            for one in rule.get("filters", ()):
                if one["type"] == "URLRewrite":
                    path = one["urlRewrite"]["path"]["replaceFullPath"]
            return rule, path
    raise AssertionError(f"no rule takes {path}")


def _handler(api: FakeApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            code, answer = api.answer(self.command, self.path, self.headers, body)
            head = (
                f"HTTP/1.1 {code} Said\r\nContent-Type: application/json\r\nContent-Length: {len(answer)}\r\n"
            )
            self.wfile.write(head.encode() + b"\r\n" + answer)

        do_GET = do_PATCH = do_DELETE = do_POST = _answer  # noqa: N815 - as the standard library calls them

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - so does it this one
            del format, args

    return Handler
