"""Google's long-running operations, as a fake has them: done after some looks, as google.longrunning says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import grpc  # type: ignore[import-untyped]  # it ships no types
from google.longrunning import operations_pb2  # type: ignore[import-untyped]  # no types
from google.protobuf import any_pb2  # type: ignore[import-untyped]  # no types

from tests.vertex.checks import Refused, check

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Operations"]


class _Going(NamedTuple):
    raw: Any
    looks: list[int]
    finish: Callable[[], Any]


class Operations:
    """All that there were; `looks` are needed until one is done, and while `stalled` none ever is."""

    def __init__(self, number: Callable[[], str]) -> None:
        self.all: dict[str, _Going] = {}
        self.looks, self.stalled = 2, False
        self._number = number

    def begin(self, resource: str, metadata: Any, finish: Callable[[], Any]) -> Any:
        """One that ends by `finish`, which gives its response or raises `Refused`."""
        raw = operations_pb2.Operation(name=f"{resource}/operations/{self._number()}")
        raw.metadata.CopyFrom(_packed(metadata))
        self.all[raw.name] = _Going(raw, [0], finish)
        return raw

    def going(self, resource: str) -> list[str]:
        """Names of those at a resource that are not done."""
        return [one.raw.name for one in self.all.values() if _of(one.raw.name, resource) and not one.raw.done]

    def get(self, request: Any) -> Any:
        """A GetOperationRequest, which is a look."""
        check(request.name in self.all, grpc.StatusCode.NOT_FOUND, f"{request.name} is not found")
        going = self.all[request.name]
        if not self.stalled and not going.raw.done:
            going.looks[0] += 1
            if going.looks[0] >= self.looks:
                _finish(going)
        return going.raw

    def list(self, request: Any) -> Any:
        """A ListOperationsRequest; by itself it gives three a page."""
        found = [one.raw for one in self.all.values() if _of(one.raw.name, request.name)]
        first, size = int(request.page_token or 0), min(request.page_size or 3, 100)
        page = operations_pb2.ListOperationsResponse(operations=found[first : first + size])
        if first + size < len(found):
            page.next_page_token = str(first + size)
        return page


def _finish(going: _Going) -> None:
    try:
        going.raw.response.CopyFrom(_packed(going.finish()))
    except Refused as refused:
        going.raw.error.code, going.raw.error.message = refused.code.value[0], str(refused)
    going.raw.done = True


def _packed(message: Any) -> Any:
    packed = any_pb2.Any()
    packed.Pack(type(message).pb(message))
    return packed


def _of(operation: str, resource: str) -> bool:
    """Whether an operation is of that resource, however each of them names the project."""
    inside = resource.partition("/locations/")[2]
    return operation.partition("/locations/")[2].rpartition("/operations/")[0] == inside
