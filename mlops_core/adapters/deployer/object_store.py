"""Where releases are published: whatever fsspec opens, and its refusals in a sentence."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mlops_core.errors import BadInput, MlopsError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["opened", "refused"]

# Drivers raise errors of their own kinds, of which only the names are telling
_OUT_OF_REACH = re.compile("Connect|Timeout|Endpoint|ServerError|SlowDown|ClientPayload|TransportError")
_CREDENTIALS = re.compile("Credential|Token|Forbidden|AccessDenied|Unauthorized|RefreshError|Permission")
_EXTRAS = {"s3": "sagemaker", "gs": "vertex", "gcs": "vertex"}


def opened(url: str) -> tuple[Any, str]:
    """The file system of a URL, and the path in it. Raises `BadInput` where there is no driver for it."""
    import fsspec

    try:
        # Nothing is remembered of what lay there: other processes write too
        store, root = fsspec.core.url_to_fs(url, use_listings_cache=False)
    except (ValueError, ImportError) as error:
        extra = _EXTRAS.get(url.partition("://")[0])
        remedy = f": pip install 'mlops-core[{extra}]'" if extra else ""
        raise BadInput(f"{shown(url)} cannot be opened: {error}{remedy}") from error
    return store, root.rstrip("/")


@contextmanager
def refused(doing: str, url: str) -> Iterator[None]:
    """Say in a sentence what a disk, or a server that fsspec asks, refused."""
    try:
        yield
    except MlopsError:
        raise
    except Exception as error:  # drivers raise errors of their own kinds too
        kind, what = type(error).__name__, f"cannot {doing} {shown(url)}"
        reason = (isinstance(error, OSError) and error.strerror) or str(error) or kind
        if isinstance(error, PermissionError) or _CREDENTIALS.search(kind):
            raise BadInput(f"{what}: {reason}. Sign in there, or name a place that you may use") from error
        if isinstance(error, ConnectionError | TimeoutError) or _OUT_OF_REACH.search(kind):
            raise Unavailable(f"{what}: {reason}. Run the same again") from error
        raise MlopsError(
            f"{what}: {reason}. Nothing that serves has changed: mend that and run again"
        ) from error


def shown(url: str) -> str:
    """The URL as it may be shown and logged: without a password."""
    return re.sub(r"(?<=://)[^/]*@", "", url)
