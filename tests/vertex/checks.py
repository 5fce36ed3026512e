"""What Vertex AI asks of requests, as the comments of its protos say it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import grpc  # type: ignore[import-untyped]  # it ships no types

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Refused", "check", "checked_endpoint", "checked_model", "checked_split"]

_ENDPOINT_ID = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?|[1-9][0-9]{0,8}")
_MODEL_ID = re.compile(r"[a-z_][a-z0-9_-]{0,62}")
_ALIAS = re.compile(r"[a-z][a-zA-Z0-9-]{0,126}[a-z0-9]")
_LABEL_KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_LABEL = re.compile(r"[a-z0-9_-]{0,63}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_IMAGE = re.compile(r"([a-z0-9-]+-docker\.pkg\.dev|([a-z]+\.)?gcr\.io)/.+")


class Refused(Exception):
    """What a call is answered with instead."""

    def __init__(self, code: Any, message: str) -> None:
        super().__init__(message)
        self.code = code


def check(holds: object, code: Any, message: str) -> None:
    """Refuse what does not hold."""
    if not holds:
        raise Refused(code, message)


def _valid(holds: object, field: str) -> None:
    check(holds, grpc.StatusCode.INVALID_ARGUMENT, f"Invalid value for field {field!r}")


def checked_endpoint(request: Any) -> None:
    """A CreateEndpointRequest."""
    _valid(not request.endpoint_id or _ENDPOINT_ID.fullmatch(request.endpoint_id), "endpoint_id")
    _valid(0 < len(request.endpoint.display_name) <= 128, "endpoint.display_name")
    _checked_labels(request.endpoint.labels)


def checked_model(request: Any) -> None:
    """An UploadModelRequest with a container."""
    model, container = request.model, request.model.container_spec
    _valid(not (request.model_id and request.parent_model), "model_id")
    _valid(not request.model_id or _MODEL_ID.fullmatch(request.model_id), "model_id")
    _valid(0 < len(model.display_name) <= 128, "model.display_name")
    _valid(all(map(_ALIAS.fullmatch, model.version_aliases)), "model.version_aliases")
    _valid(not model.artifact_uri or model.artifact_uri.startswith("gs://"), "model.artifact_uri")
    _checked_labels(model.labels)
    _valid(_IMAGE.fullmatch(container.image_uri), "model.container_spec.image_uri")
    _valid(all(_VARIABLE.fullmatch(one.name) for one in container.env), "model.container_spec.env")
    _valid(not any(one.name.startswith("AIP_") for one in container.env), "model.container_spec.env")
    _valid(all(1 <= one.container_port <= 65535 for one in container.ports), "model.container_spec.ports")
    _valid(container.health_route.startswith("/"), "model.container_spec.health_route")
    _valid(container.predict_route.startswith("/"), "model.container_spec.predict_route")


def checked_split(split: Mapping[str, int], endpoint: Any, *, new: str = "") -> None:
    """Who gets how much of the traffic; empty for nobody, and `new` for what is not deployed yet."""
    there = {one.id for one in endpoint.deployed_models} | ({new} if new else set())
    _valid(set(split) <= there, "traffic_split: it names what is not deployed")
    _valid(all(0 <= one <= 100 for one in split.values()), "traffic_split: percentages")
    _valid(not split or sum(split.values()) == 100, "traffic_split: it must add up to 100")


def _checked_labels(labels: Mapping[str, str]) -> None:
    _valid(len(labels) <= 64, "labels")
    _valid(all(map(_LABEL_KEY.fullmatch, labels)), "labels: keys")
    _valid(all(map(_LABEL.fullmatch, labels.values())), "labels: values")
