"""The port that a server listens at, and whether the one at it is ready: a container's health check.

``python -m mlops_core.serving.address`` ends with 0 where it is. It runs every few seconds beside the server,
so it imports little.
"""

from __future__ import annotations

import os
import sys
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING

from mlops_core.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["port", "ready"]

_SECONDS = 3.0


def port(environment: Mapping[str, str]) -> int:
    """What Vertex AI says (AIP_HTTP_PORT), else MLOPS_HTTP_PORT, else 8080. Raises `BadInput` for no port."""
    name = next((one for one in ("AIP_HTTP_PORT", "MLOPS_HTTP_PORT") if environment.get(one)), None)
    said = environment[name] if name else "8080"
    if not said.isdecimal() or int(said) > 65535:
        raise BadInput(f"{name} must be 0 (any free one) to 65535, not {said!r}")
    return int(said)


def ready(at: int, *, host: str = "127.0.0.1") -> bool:
    """Whether a server on this machine answers at that port that it can predict."""
    connection = HTTPConnection(host, at, timeout=_SECONDS)
    try:
        connection.request("GET", "/ping")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if ready(port(os.environ)) else 1)
