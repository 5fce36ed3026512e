"""Requests to an API server by the official client, whose configuration and identities are used as they are.

Objects go in and out as plain dicts: the client's own classes would drop what they do not know, and know no
HTTPRoute.
"""

from __future__ import annotations

import json
import os
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mlops_core.adapters.kubernetes.errors import Refusal, Request, refusal, said
from mlops_core.adapters.kubernetes.kinds import KINDS, Kind
from mlops_core.errors import BadInput, MlopsError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FIELD_MANAGER", "Cluster"]

FIELD_MANAGER = "mlops"
_SECONDS = (10.0, 60.0)  # to connect, and to answer
_APPLY = "application/apply-patch+yaml"  # JSON is YAML


class Cluster:
    """One namespace, reached by a context of kubeconfig or, in a pod, by the pod's own account."""

    def __init__(self, *, context: str | None, namespace: str, token: str | None = None) -> None:
        self.namespace = namespace
        self._context, self._token = context, token

    def get(self, kind: str, name: str) -> dict[str, Any] | None:
        """An object; None when there is none."""
        answer = self._answer("GET", self._path(KINDS[kind], name))
        if answer.code == 404 and (answer.status.get("details", {}).get("name") == name):
            return None
        request = Request("get", KINDS[kind], self.namespace, f"read {kind} {name}")
        found: dict[str, Any] = self._object(answer, request)
        return found

    def list(self, kind: str, labels: Mapping[str, str]) -> list[dict[str, Any]]:
        """Objects that have all these labels."""
        chosen = ",".join(f"{name}={value}" for name, value in sorted(labels.items()))
        answer = self._answer("GET", self._path(KINDS[kind]), query={"labelSelector": chosen})
        request = Request("list", KINDS[kind], self.namespace, f"list each {kind} in {self.namespace}")
        items: list[dict[str, Any]] = self._object(answer, request)["items"]
        return items

    def apply(self, manifest: Mapping[str, Any], *, dry: bool = False) -> dict[str, Any]:
        """Server-side apply: what others set is left alone, and theirs is never taken."""
        kind, name = str(manifest["kind"]), str(manifest["metadata"]["name"])
        query = {"fieldManager": FIELD_MANAGER, "force": "false", "fieldValidation": "Strict"}
        if dry:
            query["dryRun"] = "All"
        answer = self._answer(
            "PATCH",
            self._path(KINDS[kind], name),
            query=query,
            body=json.dumps(manifest),
            content_type=_APPLY,
        )
        request = Request("patch", KINDS[kind], self.namespace, f"apply {kind} {name}")
        applied: dict[str, Any] = self._object(answer, request)
        return applied

    def delete(self, kind: str, name: str) -> None:
        """Delete an object, and what it owns in the background; nothing happens when there is none."""
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
        answer = self._answer("DELETE", self._path(KINDS[kind], name), body=body)
        if answer.code != 404:
            self._object(answer, Request("delete", KINDS[kind], self.namespace, f"delete {kind} {name}"))

    def ask(self, kind: str, name: str, path: str, body: Mapping[str, Any] | None = None) -> bytes:
        """What a server answers, by the API server's proxy to a Service or Pod (`name` is NAME:PORT).

        The proxy keeps `Authorization` for itself, so the server's token goes by a header of its own. Raises
        `Unavailable` where no server answered, `MlopsError` for a refusal of the server.
        """
        whole = f"{self._path(KINDS[kind], name)}/proxy/{path}"
        method = "GET" if body is None else "POST"
        answer = self._answer(method, whole, body=body, token=self._token)
        if answer.code < 400:
            return answer.body
        proxy = Kind(KINDS[kind].path, f"{KINDS[kind].plural}/proxy")
        verb = "get" if body is None else "create"
        request = Request(verb, proxy, self.namespace, f"ask {kind} {name} by the API server")
        if answer.status:
            raise refusal(answer, request)
        if answer.code == 401:
            raise BadInput(
                f"kubernetes: {name} wants a token: set MLOPS_TOKEN here as it is set there "
                "(MLOPS_KUBERNETES_SECRET)"
            )
        kind_of = Unavailable if answer.code in (429, 502, 503, 504) else MlopsError
        raise kind_of(f"kubernetes: {name}, asked for {path}, answers {answer.code} {answer.words}")

    def _path(self, kind: Kind, name: str | None = None) -> str:
        return f"/{kind.path}/namespaces/{self.namespace}/{kind.plural}" + (f"/{name}" if name else "")

    def _object(self, answer: Refusal, request: Request) -> Any:
        if answer.code >= 400:
            raise refusal(answer, request)
        try:
            return json.loads(answer.body)
        except ValueError as error:
            raise MlopsError(
                f"kubernetes: cannot {request.what}: what answers is no API server; see the server in "
                "kubeconfig"
            ) from error

    def _answer(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = "application/json",
        token: str | None = None,
    ) -> Refusal:
        """The answer, whatever it says. Raises `Unavailable` where none came."""
        client = self._client  # says what to install where there is none
        from kubernetes.client.exceptions import ApiException
        from urllib3.exceptions import HTTPError, SSLError

        headers = {"Accept": "application/json", "Content-Type": content_type}
        if token is not None:
            headers["X-Mlops-Token"] = token
        try:
            asked = client.param_serialize(
                method,
                path,
                query_params=sorted((query or {}).items()),
                header_params=headers,
                body=body,
                auth_settings=["BearerToken"],
            )
            response = client.call_api(*asked, _request_timeout=_SECONDS)
            return Refusal(response.status, response.read())
        except (HTTPError, ApiException, OSError) as error:
            where = client.configuration.host
            if isinstance(getattr(error, "reason", error), SSLError):
                raise BadInput(
                    f"kubernetes: the certificate of {where} is not trusted ({said(str(error))}): see "
                    "certificate-authority in kubeconfig"
                ) from error
            raise Unavailable(
                f"kubernetes: the API server at {where} is out of reach ({type(error).__name__}). "
                "See that the cluster runs and is the one meant (MLOPS_KUBERNETES_CONTEXT), and run again"
            ) from error

    @cached_property
    def _client(self) -> Any:
        try:
            from kubernetes import client, config
        except ImportError as error:
            raise BadInput(
                "the target kubernetes needs its client: pip install 'mlops-core[kubernetes]'"
            ) from error
        loaders: Any = config  # it has no types
        in_pod = "KUBERNETES_SERVICE_HOST" in os.environ and "KUBECONFIG" not in os.environ
        if self._context is None and in_pod:
            configuration = client.Configuration()
            try:
                loaders.load_incluster_config(client_configuration=configuration)
            except config.ConfigException as error:
                raise BadInput(f"kubernetes: this pod has no account to ask with: {error}") from error
            return client.ApiClient(configuration)
        file = os.environ.get("KUBECONFIG")  # the client reads it once, when it is imported
        try:
            return loaders.new_client_from_config(
                config_file=file or None, context=self._context, persist_config=False
            )
        except (config.ConfigException, OSError, ValueError) as error:
            wanted = f"context {self._context!r}" if self._context else "current context"
            raise BadInput(
                f"kubernetes: no credentials: kubeconfig has no {wanted} that can be used "
                f"({said(str(error))}). Sign in to the cluster, or set KUBECONFIG or MLOPS_KUBERNETES_CONTEXT"
            ) from error
