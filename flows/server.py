"""The Prefect server of a run started by hand: the one configured, else the one running, else its own.

Prefect too would start one, but later, twice imported, and stopped before every task run is recorded.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import http.client
import json
import logging
import os
import socket
import subprocess
import sys
import threading
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

HOME = Path(os.environ.get("PREFECT_HOME") or "~/.prefect").expanduser()
DEFAULT = "127.0.0.1:4200"  # where `prefect server start` listens
STARTUP_SECONDS = 120
SETTINGS = {  # for Prefect's own temporary server too
    "PREFECT_LOGGING_EXTRA_LOGGERS": "mlops_core",  # what the stages say is part of the run's log
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",  # flows/lost_runs.py gives up a run after three
    "DO_NOT_TRACK": "true",  # by Prefect's client; "false" lets it
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": str(STARTUP_SECONDS),
    # Nothing is written between, so shutdown drops no event that waits for a write: it writes all.
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "10000",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "10",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_BATCH_SIZE": "10000",
}
QUIET = {"PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "WARNING"}  # the terminal's: a server keeps the whole log
_own: list[str] = []  # the address of this run's own server


def start() -> None:
    """Choose the server. Call before Prefect is imported, for only then it reads its settings."""
    if not {"-h", "--help"}.isdisjoint(sys.argv[1:]):
        return  # who asks for help runs nothing
    atexit.register(_spare_the_search_for_garbage)  # first registered, so last run
    for name, value in (SETTINGS | (QUIET if "--quiet" in sys.argv[1:] else {})).items():
        os.environ.setdefault(name, value)
    try:
        if not _configured():
            _choose()
    except OSError as error:
        sys.exit(
            f"{sys.argv[0]}: Prefect's folder {HOME} cannot be used: {error.strerror}; set PREFECT_HOME to "
            "one that you may write"
        )


def _choose() -> None:
    if _serves_home():
        os.environ["PREFECT_API_URL"] = f"http://{DEFAULT}/api"
    elif sys.platform != "win32":  # sockets cannot be passed on there
        _start_own()


def _spare_the_search_for_garbage() -> None:
    """It takes a second when Python ends. DuckDB counts on it: it would tell of hundreds of leaks."""
    if "duckdb" not in sys.modules:
        gc.freeze()


def _configured() -> bool:
    if {"PREFECT_API_URL", "PREFECT_PROFILE", "PREFECT_PROFILES_PATH"} & os.environ.keys():
        return True
    profiles = _toml(HOME / "profiles.toml")
    project = _toml(Path("pyproject.toml")).get("tool", {}).get("prefect", {})
    return (
        "PREFECT_API_URL" in profiles.get("profiles", {}).get(profiles.get("active"), {})
        or any("url" in settings.get("api", {}) for settings in (project, _toml(Path("prefect.toml"))))
        or (Path(".env").is_file() and "PREFECT_API_URL" in Path(".env").read_text(errors="replace").upper())
    )


def _toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text()) if path.is_file() else {}


def _serves_home() -> bool:
    """Whether a server with this very Prefect home, so with the same database, is running."""
    try:
        return Path(json.loads(_get(DEFAULT, "/api/admin/settings", timeout=5))["home"]) == HOME
    except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError):
        return False


def _get(address: str, path: str, timeout: float) -> bytes:
    with contextlib.closing(http.client.HTTPConnection(address, timeout=timeout)) as connection:
        connection.request("GET", path)
        return connection.getresponse().read()


def _start_own() -> None:
    HOME.mkdir(parents=True, exist_ok=True)
    with socket.create_server(("127.0.0.1", 0)) as sock, (HOME / "run-server.log").open("wb") as log:
        server = subprocess.Popen(  # noqa: S603 - this very file, by this very Python
            [sys.executable, "-P", __file__, str(sock.fileno())],
            stdin=subprocess.PIPE,  # closes when this process ends, however that is: so does the server
            stdout=log,
            stderr=log,
            pass_fds=[sock.fileno()],
            start_new_session=True,  # Ctrl-C is for the run, which then records that
        )
        _own.append("{}:{}".format(*sock.getsockname()))
    os.environ["PREFECT_API_URL"] = f"http://{_own[0]}/api"
    os.environ.setdefault("PREFECT_UI_URL", f"http://{DEFAULT}")  # a run's link is for a server started later
    # Closes its stdin and waits: after Prefect has sent its last events, which it does before this.
    atexit.register(server.communicate, timeout=STARTUP_SECONDS)


@contextlib.contextmanager
def ready() -> Iterator[None]:
    """Run the flow in here: waits for the run's own server."""
    if not _own:
        yield
        return
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    try:
        _get(_own[0], "/api/health", timeout=STARTUP_SECONDS)
    except OSError as error:
        raise SystemExit(f"Prefect's server did not start, see {HOME / 'run-server.log'}") from error
    logging.getLogger("EventsWorker").setLevel(logging.ERROR)  # at exit it warns that it still has work
    # A heartbeat is for a server that outlives the run, and takes up to a second to stop.
    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        yield


def _serve(fd: int) -> None:
    gc.disable()  # importing is 15 % faster
    os.environ.pop("PREFECT_API_URL", None)
    import uvicorn
    from filelock import FileLock
    from prefect.server.api.server import create_app

    class OneAtATime(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            with FileLock(HOME / "run-server.lock"):  # two that migrate a new database at once both fail
                await super().startup(sockets)

    app = create_app(ephemeral=True, final=True)
    server = OneAtATime(uvicorn.Config(app, lifespan="on", log_level="error"))
    gc.freeze()  # and the end a second
    gc.enable()

    def end_with_the_run() -> None:
        os.read(0, 1)
        server.should_exit = True

    threading.Thread(target=end_with_the_run, daemon=True).start()
    server.run(sockets=[socket.socket(fileno=fd)])


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
