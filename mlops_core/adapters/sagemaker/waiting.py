"""Waiting for an endpoint, which takes minutes for everything."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from mlops_core.adapters.sagemaker.reading import CHANGING, status_of
from mlops_core.errors import MlopsError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_core.adapters.sagemaker.aws import Aws

__all__ = ["Waiting"]

_LOOKS = 5  # at what was made just now, and is not known everywhere yet


class Waiting:
    """Waits `longest` seconds at most, and `every` so many between two looks."""

    def __init__(self, aws: Aws, *, longest: float, every: float, pause: Callable[[float], None]) -> None:
        self._aws, self._longest, self._every, self._pause = aws, longest, every, pause

    def settled(self, name: str) -> dict[str, Any] | None:
        """The endpoint of a use case once it does not change any more; None where there is none."""
        end = time.monotonic() + self._longest
        while True:
            described = status_of(self._aws, name)
            if described is None or described["EndpointStatus"] not in CHANGING:
                return described
            if time.monotonic() > end:
                raise Unavailable(
                    f"{described['EndpointName']} at SageMaker is still {described['EndpointStatus']} after "
                    f"{self._longest:g} s (MLOPS_TARGET_TIMEOUT). SageMaker goes on with it: run the same "
                    "again, which waits for the rest"
                )
            self._pause(self._every)

    def when_known(self, action: str, **parameters: Any) -> None:
        """Do something with a configuration that was made just now, and may not be known everywhere yet."""
        for _ in range(_LOOKS):
            if self._aws.look(action, **parameters) is not None:
                return
            self._pause(self._every)
        raise MlopsError(
            f"SageMaker does not find what it was told of: {parameters['EndpointName']} with "
            f"{parameters['EndpointConfigName']}. Was it deleted meanwhile? Run the same again"
        )
