"""Vertex AI on loopback: a fake, by gRPC on Google's own messages.

Copied, from the comments in the protos of google-cloud-aiplatform 2.7 (`google/cloud/aiplatform_v1/types`):
what must be given and its patterns (`tests/vertex/checks.py`); versions of a model and their aliases; a
traffic split that sums to 100 over what is deployed, or is empty; "0" for the model that is being deployed;
undeploying refused while there is traffic; etags; operations that are done after some looks. From its guide
to operations: answers name a project by its number. From what users report (googleapis/python-aiplatform
4559): a deployment that fails with "Model server exited unexpectedly" when the container does not get ready.
Assumed, as the stricter of what may be: one operation at a time at an endpoint.

What is deployed is a real server of ours, made from nothing but the container that was uploaded, in this
process; it is asked for its health at its health route, and for answers at its predict route.

Not copied: machines and their number, quotas, regions, IAM, images, which are never run, the copy that Vertex
AI makes of the artifacts, and how long any of it takes.
"""

from __future__ import annotations

import json
import random
from concurrent.futures import ThreadPoolExecutor
from threading import RLock
from typing import Any

import grpc  # type: ignore[import-untyped]  # it ships no types
from google.api import httpbody_pb2  # type: ignore[import-untyped]  # no types
from google.cloud.aiplatform_v1 import types

from mlops_core.errors import MlopsError
from tests.deployer.release_server import ReleaseServer
from tests.vertex.checks import Refused, check, checked_endpoint, checked_split
from tests.vertex.fake_models import FakeModels
from tests.vertex.handlers import Handlers
from tests.vertex.operations import Operations

__all__ = ["NUMBER", "FakeVertex"]

NUMBER = "123456789012"
"""Of the project, which answers name instead of its id."""

_OTHERS = 'There are other operations running on the Endpoint "{}". Operation(s): {}.'


class FakeVertex:
    """A project in a location.

    `refusing` is what every call is refused with, or those of the method that it names; `hiccups` is how many
    of the next calls of a method are not answered. `liars` are digests of models that are answered wrongly
    for, and `unheard` is a version that gets none of its requests.
    """

    def __init__(self, project: str = "shop", location: str = "europe-west1") -> None:
        self.project, self.location = project, location
        self._parent = f"projects/{NUMBER}/locations/{location}"
        self.operations = Operations(self._number)
        self._models = FakeModels(self._parent, self.operations)
        self.endpoints: dict[str, Any] = {}
        self.servers: dict[str, ReleaseServer] = {}
        self.refusing: tuple[str, grpc.StatusCode, str] | None = None
        self.hiccups: dict[str, int] = {}
        self.liars: set[str] = set()
        self.unheard: int | None = None
        self._last, self._lock = 4_000_000_000_000_000_000, RLock()
        self._random = random.Random(7)  # noqa: S311 - weights, no secret
        self._server = grpc.server(ThreadPoolExecutor(2), options=[("grpc.so_reuseport", 0)])
        self._server.add_generic_rpc_handlers((Handlers(self.answer),))
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    @property
    def models(self) -> dict[str, list[Any]]:
        """Versions by the id of their model."""
        return self._models.all

    def stop(self) -> None:
        """Let go of the port."""
        self._server.stop(None).wait()

    def answer(self, method: str, request: Any) -> Any:
        """What the real one would answer; raises `Refused`."""
        with self._lock:
            if self.refusing and self.refusing[0] in ("", method):
                raise Refused(*self.refusing[1:])
            if self.hiccups.get(method):
                self.hiccups[method] -= 1
                raise Refused(grpc.StatusCode.UNAVAILABLE, "The service is currently unavailable.")
            return getattr(self, f"_{method}")(request)

    def undeploy_idle(self) -> None:
        """As a person who saves money does: away with what has no traffic."""
        for endpoint in self.endpoints.values():
            idle = [one for one in endpoint.deployed_models if not endpoint.traffic_split.get(one.id)]
            for one in idle:
                endpoint.deployed_models.remove(one)
                del self.servers[one.id]

    def _CreateEndpoint(self, request: Any) -> Any:  # noqa: N802 - the name of the call
        self._here(request.parent)
        checked_endpoint(request)
        check(request.endpoint_id not in self.endpoints, grpc.StatusCode.ALREADY_EXISTS, "Endpoint exists")
        name = f"{self._parent}/endpoints/{request.endpoint_id}"

        def make() -> Any:
            made = types.Endpoint(request.endpoint)
            made.name, made.etag = name, self._number()
            return self.endpoints.setdefault(request.endpoint_id, made)

        return self.operations.begin(name, types.CreateEndpointOperationMetadata(), make)

    def _GetEndpoint(self, request: Any) -> Any:  # noqa: N802 - the name of the call
        return self._endpoint(request.name)

    def _UpdateEndpoint(self, request: Any) -> Any:  # noqa: N802 - the name of the call
        wanted, there = request.endpoint, self._endpoint(request.endpoint.name)
        known = {"traffic_split", "labels", "display_name", "description"}
        paths = set(request.update_mask.paths)
        check(paths and paths <= known, grpc.StatusCode.INVALID_ARGUMENT, f"update_mask: {sorted(paths)}")
        check(wanted.etag in ("", there.etag), grpc.StatusCode.ABORTED, "The etag does not match")
        if "traffic_split" in paths:
            checked_split(wanted.traffic_split, there)
        for path in paths:
            setattr(there, path, getattr(wanted, path))
        checked_endpoint(types.CreateEndpointRequest(endpoint=there, endpoint_id="a"))
        there.etag = self._number()
        return there

    def _DeleteEndpoint(self, request: Any) -> Any:  # noqa: N802 - the name of the call
        there = self._alone(request.name)
        check(not there.deployed_models, grpc.StatusCode.FAILED_PRECONDITION, "There are deployed models")

        def delete() -> Any:
            del self.endpoints[there.name.rpartition("/")[2]]
            return types.DeleteOperationMetadata()

        return self.operations.begin(there.name, types.DeleteOperationMetadata(), delete)

    def _DeleteModel(self, request: Any) -> Any:  # noqa: N802 - the name of the call
        name = self._version(request.name).name
        used = [
            one for there in self.endpoints.values() for one in there.deployed_models if one.model == name
        ]
        check(not used, grpc.StatusCode.FAILED_PRECONDITION, "The model is deployed")
        return self._models.delete(name)

    def _DeployModel(self, request: Any) -> Any:  # noqa: N802 - the name of the call
        there, wanted = self._alone(request.endpoint), types.DeployedModel(request.deployed_model)
        version = self._version(wanted.model)
        machines = wanted.dedicated_resources
        check(bool(machines.machine_spec.machine_type), grpc.StatusCode.INVALID_ARGUMENT, "machine_type")
        check(
            1 <= machines.min_replica_count <= machines.max_replica_count,
            grpc.StatusCode.INVALID_ARGUMENT,
            "min_replica_count must be at least 1, and max_replica_count no less",
        )
        checked_split(request.traffic_split, there, new="0")
        wanted.id = self._number()
        wanted.model, wanted.model_version_id = version.name, version.version_id
        wanted.display_name = wanted.display_name or version.display_name

        def deploy() -> Any:
            self.servers[wanted.id] = _started(version.container_spec)
            there.deployed_models.append(wanted)
            if request.traffic_split:
                split = dict(request.traffic_split)
                there.traffic_split = {(wanted.id if id_ == "0" else id_): n for id_, n in split.items()}
            there.etag = self._number()
            return types.DeployModelResponse(deployed_model=wanted)

        return self.operations.begin(there.name, types.DeployModelOperationMetadata(), deploy)

    def _UndeployModel(self, request: Any) -> Any:  # noqa: N802 - the name of the call
        there, id_ = self._alone(request.endpoint), request.deployed_model_id
        found = [one for one in there.deployed_models if one.id == id_]
        check(bool(found), grpc.StatusCode.NOT_FOUND, f"DeployedModel {id_} is not found")
        split = dict(request.traffic_split) or dict(there.traffic_split)
        last = len(there.deployed_models) == 1
        check(
            last or not split.get(id_),
            grpc.StatusCode.FAILED_PRECONDITION,
            f"DeployedModel {id_} has traffic",
        )

        def undeploy() -> Any:
            there.deployed_models.remove(found[0])
            there.traffic_split = {} if last else {one: n for one, n in split.items() if one != id_}
            there.etag = self._number()
            del self.servers[id_]
            return types.UndeployModelResponse()

        return self.operations.begin(there.name, types.UndeployModelOperationMetadata(), undeploy)

    def _UploadModel(self, request: Any) -> Any:  # noqa: N802 - the name of the call
        self._here(request.parent)
        return self._models.upload(request)

    def _GetModel(self, request: Any) -> Any:  # noqa: N802 - the name of the call
        return self._version(request.name)

    def _RawPredict(self, request: Any) -> Any:  # noqa: N802 - the name of the call
        found = self._predicted(request.endpoint, json.loads(request.http_body.data))[1]
        return httpbody_pb2.HttpBody(content_type="application/json", data=json.dumps(found).encode())

    def _Predict(self, request: Any) -> Any:  # noqa: N802 - the name of the call
        body = json.loads(types.PredictRequest.to_json(request))
        id_, found = self._predicted(request.endpoint, {"instances": body["instances"]})
        answer = types.PredictResponse(deployed_model_id=id_)
        answer.predictions.extend(found["predictions"])
        return answer

    def _predicted(self, name: str, body: Any) -> tuple[str, Any]:
        """The id of a deployed model, chosen by weight, and its answer."""
        there = self._endpoint(name)
        split = {
            id_: percent
            for id_, percent in there.traffic_split.items()
            if id_ in self.servers and self.servers[id_].release.version != self.unheard
        }
        check(bool(split), grpc.StatusCode.FAILED_PRECONDITION, "The endpoint has no traffic split")
        (id_,) = self._random.choices(list(split), weights=list(split.values()))
        server = self.servers[id_]
        (deployed,) = (one for one in there.deployed_models if one.id == id_)
        route = self._version(f"{deployed.model}@{deployed.model_version_id}").container_spec.predict_route
        status, found = server.request("POST", route, body)
        check(status == 200, _status(status), json.dumps(found))
        if server.release.digest in self.liars:
            found["outputs"][0]["data"] = [0.123 for _ in found["outputs"][0]["data"]]
        return id_, found

    def _GetOperation(self, request: Any) -> Any:  # noqa: N802 - the name of the call
        return self.operations.get(request)

    def _ListOperations(self, request: Any) -> Any:  # noqa: N802 - the name of the call
        return self.operations.list(request)

    def _here(self, parent: str) -> None:
        wanted = [f"projects/{one}/locations/{self.location}" for one in (self.project, NUMBER)]
        denied = f"Permission denied on resource {parent} (or it may not exist)."
        check(parent in wanted, grpc.StatusCode.PERMISSION_DENIED, denied)

    def _endpoint(self, name: str) -> Any:
        parent, _, id_ = name.rpartition("/endpoints/")
        self._here(parent)
        check(id_ in self.endpoints, grpc.StatusCode.NOT_FOUND, f"The Endpoint {name} does not exist")
        return self.endpoints[id_]

    def _alone(self, name: str) -> Any:
        """An endpoint that nothing is done to."""
        there = self._endpoint(name)
        going = self.operations.going(there.name)
        check(not going, grpc.StatusCode.FAILED_PRECONDITION, _OTHERS.format(name, ", ".join(going)))
        return there

    def _version(self, name: str) -> Any:
        self._here(name.rpartition("/models/")[0])
        return self._models.version(name)

    def _number(self) -> str:
        self._last += 1
        return str(self._last)


def _started(container: Any) -> ReleaseServer:
    """The container as it is described; one that does not get ready is not deployed."""
    exited = "Model server exited unexpectedly. Model server logs can be found at ..."
    try:
        server = ReleaseServer({one.name: one.value for one in container.env})
    except (MlopsError, KeyError) as error:
        raise Refused(grpc.StatusCode.FAILED_PRECONDITION, exited) from error
    status, _ = server.request("GET", container.health_route)
    check(status == 200, grpc.StatusCode.FAILED_PRECONDITION, exited)
    return server


def _status(status: int) -> Any:
    known = {400: grpc.StatusCode.INVALID_ARGUMENT, 503: grpc.StatusCode.UNAVAILABLE}
    return known.get(status, grpc.StatusCode.INTERNAL)
