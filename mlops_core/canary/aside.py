"""A release served aside: by the application that callers ask, on a port that none of them knows.

The server is a thread of this process. So it is gone whenever the process is, however that ends, and nothing
is ever left listening.
"""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn

from mlops_core.errors import Unavailable
from mlops_core.serving.app import create_app
from mlops_core.serving.follower import ReleaseFollower
from mlops_core.serving.loaded import SELDOM, Loaded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_core.domain.release import Release
    from mlops_core.ports import OnlineStore

__all__ = ["HOST", "Loaded", "serving_aside"]

HOST = "127.0.0.1"

_START_SECONDS = 30.0
_GRACE_SECONDS = 5


@contextmanager
def serving_aside(loaded: Loaded, store: OnlineStore) -> Iterator[int]:
    """Serve a release, with the features of `store`, while the context lasts; gives the port on loopback.

    Raises `Unavailable` when it does not come up.
    """
    follower = ReleaseFollower(name=loaded.release.name, source=loaded, store=store, interval=SELDOM)
    config = uvicorn.Config(
        create_app(follower=follower),
        log_config=None,
        access_log=False,
        ws="none",
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    # With the protocol named, asyncio switches Nagle's algorithm off: 40 ms a request otherwise.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind((HOST, 0))
        listener.listen()
        server = uvicorn.Server(config)
        words = {"sockets": [listener]}
        thread = threading.Thread(target=server.run, kwargs=words, name="serving aside", daemon=True)
        thread.start()
        try:
            _wait(server, thread, loaded.release)
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(2 * _GRACE_SECONDS)


def _wait(server: uvicorn.Server, thread: threading.Thread, release: Release) -> None:
    end = time.monotonic() + _START_SECONDS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > end:
            raise Unavailable(
                f"the server that version {release.version} of {release.name!r} is tried out with did not "
                "come up: what it logged says why; run the same again"
            )
        time.sleep(0.01)
