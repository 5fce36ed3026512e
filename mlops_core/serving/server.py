"""Running the application with uvicorn, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import errno
import gc
import signal
import socket
import sys
from typing import TYPE_CHECKING

import uvicorn

from mlops_core.errors import BadInput, MlopsError
from mlops_core.serving.drain import Drain

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from fastapi import FastAPI

__all__ = ["serve"]

_GRACE_SECONDS = 10
# Longer than balancers hold theirs (60 s at AWS, 600 s at Google): who closes first loses no request
_IDLE_SECONDS = 620


def serve(
    app: FastAPI,
    *,
    host: str = "127.0.0.1",
    port: int = 8080,
    announce: Callable[[str], object] | None = None,
    drain: Drain | None = None,
) -> None:
    """Serve until SIGTERM or Ctrl-C, finish the requests under way (10 s at most), and return.

    With SIGTERM `drain` begins, which is to be the one that `app` knows, and the server takes requests until
    it is over; Ctrl-C, or SIGTERM again, does not wait for that, and Ctrl-C again for nothing. Port 0 takes a
    free one. `announce` gets the URL once the server answers; without it, it is written to standard output.
    Raises `BadInput` when the port or the host cannot be listened at.
    """
    listener = _listen(host, port)
    config = uvicorn.Config(
        app,
        ws="none",
        proxy_headers=False,  # a caller can write them; see `Guard`
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=_IDLE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    bound = listener.getsockname()[1]
    shown = f"[{host}]" if ":" in host else host
    url = f"http://{shown}:{bound}"
    server = _Server(config, url=url, announce=announce or _write, drain=drain or Drain())
    # uvicorn stops gracefully, then hands the signal on to whoever handled it before: here it is done with.
    previous = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        server.run(sockets=[listener])
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGTERM, previous)
        listener.close()


class _Server(uvicorn.Server):
    """A server that says where it is once it answers there, and drains before it stops."""

    def __init__(
        self, config: uvicorn.Config, *, url: str, announce: Callable[[str], object], drain: Drain
    ) -> None:
        super().__init__(config)
        self._url = url
        self._announce = announce
        self._drain = drain

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Drain on SIGTERM; everything else is uvicorn's."""
        self._drain.begin()
        if sig != signal.SIGTERM or self._drain.over:
            super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether to stop."""
        self.should_exit = self.should_exit or self._drain.over
        return await super().on_tick(counter)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        gc.collect()
        gc.freeze()  # what is there by now stays: looking through it again and again held requests up
        self._announce(self._url)


def _write(url: str) -> None:
    sys.stdout.write(f"serving at {url}\n")
    sys.stdout.flush()


def _listen(host: str, port: int) -> socket.socket:
    if not 0 <= port <= 65535:
        raise BadInput(f"--port must be 0 (any free one) to 65535, not {port}")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise BadInput(f"--host {host!r} is no address of this machine: {error.strerror or error}") from error
    # With the protocol named, asyncio switches Nagle's algorithm off: 40 ms a request otherwise.
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen()
    except OSError as error:
        listener.close()
        raise _refused(host, port, error) from error
    return listener


def _refused(host: str, port: int, error: OSError) -> MlopsError:
    if error.errno == errno.EADDRINUSE:
        return BadInput(
            f"port {port} on {host} is taken by another process: give another with --port, or 0 for any"
        )
    if error.errno == errno.EACCES:
        return BadInput(f"port {port} is for administrators only: give one from 1024 with --port")
    return BadInput(f"cannot listen on {host}, port {port}: {error.strerror or error}; see --host and --port")
