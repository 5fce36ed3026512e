"""Redis's errors as ours, with the server named but never its password."""

from __future__ import annotations

import struct
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from redis import exceptions as theirs

from mlops_core.errors import BadInput, IntegrityError, MlopsError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["address_of", "no_url", "translated"]

SCHEMES = ("redis", "rediss", "unix")


def address_of(url: str) -> str:
    """The URL without user, password and options, for messages. Raises `BadInput` when it is none."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise no_url() from error
    if parts.scheme not in SCHEMES or not (host or parts.path.strip("/")):
        raise no_url()
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path}"


def no_url() -> BadInput:
    # The URL itself may hold a password
    return BadInput(
        "the URL of the Redis online store is none: give redis://HOST:PORT/DB, rediss://HOST:PORT/DB for TLS "
        "or unix:///PATH, with USER:PASSWORD@ before the host where needed, percent-encoded"
    )


@contextmanager
def translated(address: str, key: str = "") -> Iterator[None]:
    """Errors of the body as ours; `key` is what it reads or writes at `address`."""
    try:
        yield
    except MlopsError:
        raise
    except (theirs.RedisError, OSError) as error:
        raise _ours(error, address, key) from error
    except (struct.error, ValueError, TypeError, KeyError) as error:
        raise _damaged(address, key, "what it holds cannot be read") from error


def _damaged(address: str, key: str, what: str) -> IntegrityError:
    return IntegrityError(
        f"the online values under {key!r} at {address} are damaged: {what}. Delete that key "
        "(or use a database of their own) and materialise them again."
    )


def _ours(error: Exception, address: str, key: str) -> MlopsError:
    said = f"Redis at {address}: {type(error).__name__}: {str(error).rstrip('.')}"  # a full stop follows
    match error:
        case theirs.AuthenticationError() | theirs.AuthorizationError() | theirs.NoPermissionError():
            return MlopsError(f"{said}. Put a user and password that may use its database into the URL.")
        case theirs.BusyLoadingError():
            return Unavailable(f"{said}. It is still loading its data; try again when it has finished.")
        case theirs.ReadOnlyError():
            return Unavailable(f"{said}. Give the URL of the primary, or try again after the failover.")
        case theirs.ConnectionError() | theirs.TimeoutError() | theirs.TryAgainError() | OSError():
            return Unavailable(f"{said}. See that it runs and can be reached, and try again.")
        case theirs.OutOfMemoryError():
            return MlopsError(f"{said}. Nothing was changed. Raise its maxmemory or remove other sets.")
        case theirs.ResponseError() if str(error).startswith("WRONGTYPE"):
            return _damaged(address, key, "it is no hash")
        case theirs.ResponseError() if str(error).startswith(("NOAUTH", "WRONGPASS")):
            return MlopsError(f"{said}. Put a user and password that may use its database into the URL.")
        case _:
            return MlopsError(f"{said}. See the server's log and settings.")
