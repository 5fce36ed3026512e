"""A container of the image, under way: its first process, and where it answers."""

from __future__ import annotations

import os
import signal
import socket
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Mapping

    from benchmarks.image.built import Image

__all__ = ["Container", "free_port", "running"]


class Container:
    """One that was started; `url` is where it is to answer."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.url = f"http://127.0.0.1:{port}"

    def wait(self) -> httpx.Client:
        """A client, once it is ready; what it logged is the error when it ends before."""
        end = time.monotonic() + 60
        while True:
            try:
                if httpx.get(f"{self.url}/ping").status_code == 200:
                    return httpx.Client(base_url=self.url)
            except httpx.TransportError:
                pass
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < end, "it was never ready"
            time.sleep(0.05)

    def stop(self) -> tuple[int, str]:
        """SIGTERM to the first process of the container; its exit code and what it logged."""
        os.kill(self.first(), signal.SIGTERM)
        _, log = self.process.communicate(timeout=30)
        return self.process.returncode, log

    def first(self) -> int:
        """That process, as this machine numbers it."""
        (child,) = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(child)


@contextmanager
def running(
    image: Image, environment: Mapping[str, str], *, bind: tuple[Path, str] | None = None
) -> Iterator[Container]:
    """Start a container as its platform does; it is gone when the context ends."""
    port = free_port()
    given = {"MLOPS_HTTP_PORT": str(port), **environment}
    process = image.start(environment=given, bind=bind)
    try:
        yield Container(process, port)
    finally:
        _end(process)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def _end(process: subprocess.Popen[str]) -> None:
    """End the first process of the container, and so all of its namespace; unshare ends with it."""
    if process.poll() is not None:
        return
    try:
        os.kill(Container(process, 0).first(), signal.SIGKILL)
    except (ValueError, ProcessLookupError):  # it had not begun
        process.kill()
    process.wait(30)


def free_port() -> int:
    """A port that nobody listened at a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port
