"""A PostgreSQL server of our own: on a free port of this machine, its data in a temporary folder."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["PostgreSQLServer", "postgresql_binaries", "running"]

_ROLE = "mlops"


class PostgreSQLServer:
    """A server that runs. `url` is that of its database `postgres`; its role may do anything, unasked."""

    def __init__(self, binaries: Path, port: int) -> None:
        self._binaries = binaries
        self.port = port
        self.url = f"postgresql://{_ROLE}@127.0.0.1:{port}/postgres"

    def database(self, name: str, *options: str) -> str:
        """Create a database, with options of `createdb`, and give its URL."""
        self._run("createdb", "--username", _ROLE, *options, name)
        return self.url.removesuffix("postgres") + name

    def ready(self) -> bool:
        """Whether it answers."""
        return self._run("pg_isready", check=False).returncode == 0

    def _run(self, what: str, *words: str, check: bool = True) -> subprocess.CompletedProcess[bytes]:
        place = ["--host", "127.0.0.1", "--port", str(self.port)]
        return subprocess.run(  # noqa: S603 - our own words
            [self._binaries / what, *place, *words], check=check, capture_output=True
        )


def postgresql_binaries() -> Path | None:
    """The folder of the newest PostgreSQL's programs, None when there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("postgres")
    return found[-1].parent if found else Path(on_path).resolve().parent if on_path else None


@contextmanager
def running(binaries: Path) -> Iterator[PostgreSQLServer]:
    """A server until the end of the body."""
    # Not below pytest's folder: the user that the server runs as may not enter that.
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    user = _unprivileged()
    if user is not None:
        os.chown(folder, user.pw_uid, user.pw_gid)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    how = f"--no-sync --auth=trust --encoding=UTF8 --no-locale --username={_ROLE} -D data"
    options = f"-c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c port={port} -D data"
    try:
        if _started(binaries / "initdb", how, folder, user).wait() != 0:
            raise RuntimeError(f"initdb failed: {(folder / 'log').read_text()}")
        process = _started(binaries / "postgres", options, folder, user)
        try:
            server = PostgreSQLServer(binaries, port)
            _wait(server, folder / "log")
            yield server
        finally:
            process.send_signal(signal.SIGINT)  # ends its connections
            process.wait(60)
    finally:
        shutil.rmtree(folder)


def _started(
    program: Path, words: str, folder: Path, user: pwd.struct_passwd | None
) -> subprocess.Popen[bytes]:
    """The program, in the folder and as the user."""
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(  # noqa: S603 - our own words
            [program, *words.split(" ")],
            stdout=log,
            stderr=log,
            cwd=folder,
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
        )


def _unprivileged() -> pwd.struct_passwd | None:
    """Who the server runs as when we are root, as whom it refuses to."""
    if os.getuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def _wait(server: PostgreSQLServer, log: Path) -> None:
    end = time.monotonic() + 60
    while not server.ready():
        if time.monotonic() > end:
            raise TimeoutError(f"PostgreSQL did not start: {log.read_text()}")
        time.sleep(0.1)
