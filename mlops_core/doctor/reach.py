"""Whether anything listens at a URL: asked before an engine is imported, whose own patience is longer."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

__all__ = ["PATIENCE", "silence"]

PATIENCE = 2.0  # seconds
_PORTS = {"postgresql": 5432, "mysql": 3306, "mssql": 1433, "redis": 6379, "rediss": 6379}


def silence(url: str) -> str:
    """Why nobody can be reached at `url`, or "" when a connection is taken there.

    "" too where that is not for us to say: a socket file, several hosts, options of a driver.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme.partition("+")[0])
    except ValueError:  # the engine says it better
        return ""
    if not parts.hostname or port is None:
        return ""
    try:
        socket.create_connection((parts.hostname, port), timeout=PATIENCE).close()
    except TimeoutError:
        return f"nothing answered within {PATIENCE:g} s"
    except OSError as error:
        return error.strerror or str(error)
    return ""
