"""Calls to Vertex AI, and its operations: what takes its time there, and goes on when nobody waits."""

from __future__ import annotations

import time
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mlops_core.adapters.vertex.connection import connected
from mlops_core.adapters.vertex.errors import Purpose, refusal
from mlops_core.errors import MlopsError, NotFound, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mlops_core.adapters.vertex.connection import Services
    from mlops_core.target_settings import TargetSettings

__all__ = ["Calls", "Patience"]

_LONGEST_CALL = 60.0  # seconds
_PAGE = 100
_LOST = 5  # times in a row that an operation may not be seen while it is waited for


class Patience:
    """How long is waited in all, and how long between looks; seconds."""

    def __init__(self, seconds: float, every: float) -> None:
        self._seconds, self._every = seconds, every
        self._end = time.monotonic() + seconds

    def wait(self, what: str, *, looks: float = 1.0) -> None:
        """Wait as long as for so many looks. Raises `Unavailable` when the time is over."""
        if time.monotonic() + looks * self._every > self._end:
            raise Unavailable(
                f"Vertex AI was told to {what}, which is not done after {self._seconds:g} s "
                "(MLOPS_TARGET_TIMEOUT). It goes on there: run the same again, which waits for it"
            )
        time.sleep(looks * self._every)


class Calls:
    """Google's clients, made when first used; their errors are ours. `every`: seconds between looks."""

    def __init__(
        self, settings: TargetSettings, *, services: Callable[[], Services] | None = None, every: float = 5.0
    ) -> None:
        self._settings, self._every = settings, every
        self._connect = services or (lambda: connected(settings))

    @cached_property
    def services(self) -> Services:
        """The clients."""
        return self._connect()

    def patience(self) -> Patience:
        """That of one order, from now on."""
        return Patience(self._settings.target_timeout, self._every)

    def do(self, call: Callable[..., Any], request: Mapping[str, Any], purpose: Purpose) -> Any:
        """The answer to a call."""
        from google.api_core.exceptions import GoogleAPICallError

        try:
            return call(dict(request), retry=None, timeout=min(_LONGEST_CALL, self._settings.target_timeout))
        except GoogleAPICallError as error:
            raise refusal(error, purpose) from error

    def find(self, call: Callable[..., Any], request: Mapping[str, Any], purpose: Purpose) -> Any:
        """The same; None for what is not there."""
        try:
            return self.do(call, request, purpose)
        except NotFound:
            return None

    def finish(self, operation: Any, purpose: Purpose, patience: Patience) -> None:
        """Return once an operation of `google.longrunning` has succeeded.

        One that is out of sight for a moment is looked for again.
        """
        lost = 0
        while not operation.done:
            patience.wait(purpose.what)
            look = Purpose(f"tell whether it could {purpose.what}", purpose.permission)
            try:
                operation = self.do(self.services.endpoints.get_operation, {"name": operation.name}, look)
                lost = 0
            except Unavailable:
                lost += 1
                if lost == _LOST:
                    raise
        if operation.HasField("error"):
            raise self._failed(operation.error, purpose)

    def settle(self, resource: str, purpose: Purpose, patience: Patience) -> None:
        """Wait for what goes on at a resource, whoever began it and however it ends.

        What a killed process began is found done by the next, and not begun twice.
        """
        for operation in list(self.running(resource)):
            try:
                self.finish(
                    operation, Purpose(f"{purpose.what} after what goes on", purpose.permission), patience
                )
            except Unavailable:
                raise
            except MlopsError:
                continue  # it failed for whoever began it

    def running(self, resource: str) -> Iterator[Any]:
        """The operations at a resource that are not done."""
        purpose = Purpose(f"list what goes on at {_last(resource)}", "aiplatform.operations.list")
        request = {"name": resource, "page_size": _PAGE}
        while True:
            page = self.find(self.services.endpoints.list_operations, request, purpose)
            if page is None:
                return
            yield from (operation for operation in page.operations if not operation.done)
            if not page.next_page_token:
                return
            request["page_token"] = page.next_page_token

    def _failed(self, status: Any, purpose: Purpose) -> MlopsError:
        from google.api_core import exceptions

        failed: Any = exceptions.from_grpc_status
        return refusal(failed(_code(status.code), status.message), purpose)


def _code(number: int) -> Any:
    import grpc  # type: ignore[import-untyped]  # it ships no types

    return next((code for code in grpc.StatusCode if code.value[0] == number), grpc.StatusCode.UNKNOWN)


def _last(resource: str) -> str:
    return resource.rpartition("/")[2]
