"""`mlops serve [USE_CASE]`: an HTTP server that follows the current release, or serves one it is given."""

from __future__ import annotations

import logging
import os
import signal
import sys
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from mlops_core.commands.output import say
from mlops_core.errors import BadInput

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from mlops_core.serving.follower import ReleaseFollower
    from mlops_core.settings import Settings

__all__ = ["add"]


def add(verbs: Any, words: Sequence[str]) -> None:  # noqa: ARG001 - every verb is added the same way
    """Add the verb."""
    parser = verbs.add_parser("serve", help="serve predictions over HTTP, following releases")
    parser.add_argument(
        "use_case",
        metavar="USE_CASE",
        nargs="?",
        help="whose releases to follow; else MLOPS_RELEASE is served",
    )
    parser.add_argument("--host", help="address to listen at (default: MLOPS_HOST, or 127.0.0.1)")
    parser.add_argument(
        "--port", type=int, help="port, 0 for any free one (default: AIP_HTTP_PORT, MLOPS_HTTP_PORT, or 8080)"
    )
    parser.set_defaults(command=_serve, log=None)  # a server's log is its own


def _serve(arguments: argparse.Namespace) -> int:
    from mlops_core.serving.address import port
    from mlops_core.serving.app import create_app
    from mlops_core.serving.drain import Drain
    from mlops_core.serving.guard import admission_by
    from mlops_core.serving.logs import logging_as
    from mlops_core.serving.server import serve
    from mlops_core.settings import Settings

    settings = Settings.load()
    arguments.display.end()
    logging_as(settings.log_format)
    if "quiet" in arguments:
        logging.getLogger("mlops_core").setLevel(logging.WARNING)
    admission, drain = admission_by(settings), Drain(settings.drain)
    host = arguments.host or settings.host
    at = arguments.port if arguments.port is not None else port(os.environ)
    admission.warn_of(host)
    follower = _follower(arguments.use_case, settings)
    app = create_app(follower=follower, admission=admission, drain=drain)
    announce = partial(_announce, name=follower.name, secured=admission.token is not None)
    serve(app, host=host, port=at, announce=announce, drain=drain)
    return 0


def _follower(use_case: str | None, settings: Settings) -> ReleaseFollower:
    from mlops_core.serving.follower import ReleaseFollower

    if use_case is None:
        return _of_one_release(settings)
    if settings.release is not None:
        raise BadInput(
            f"the releases of {use_case!r} are to be followed, and MLOPS_RELEASE names one to serve: leave "
            "out one of the two"
        )
    from mlops_core.usecases import find
    from mlops_core.wiring import ConfiguredEngines

    name = find(use_case).name
    if settings.target != "local":
        raise BadInput(
            f"{name} is served by {settings.target} (MLOPS_TARGET), see `mlops traffic {name}`: only "
            "releases of the state folder can be followed from here"
        )
    engines = ConfiguredEngines(settings)
    return ReleaseFollower(name=name, source=engines.releases, store=engines.online)


def _of_one_release(settings: Settings) -> ReleaseFollower:
    from mlops_core.one_release import loaded_release, online_store
    from mlops_core.serving.follower import ReleaseFollower
    from mlops_core.serving.loaded import SELDOM

    if settings.release is None:
        raise BadInput(
            "nothing to serve: name a USE_CASE whose releases to follow, or set MLOPS_RELEASE to the folder "
            "or URL of one release"
        )
    logging.getLogger("gcsfs").disabled = True  # what it logs comes as an error, too, and without a traceback
    with _ended_by_sigterm():
        loaded = loaded_release(settings.release, settings.release_manifest)
    return ReleaseFollower(
        name=loaded.release.name, source=loaded, store=online_store(settings), interval=SELDOM
    )


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """End in order while the body runs: on a container's first process SIGTERM has no effect by itself."""
    previous = signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def _announce(url: str, *, name: str, secured: bool) -> None:
    token = ' -H "Authorization: Bearer $MLOPS_TOKEN"' if secured else ""
    say(f"serving {name} at {url}; stop with Ctrl-C. Try:")
    say(f"  curl -s {url}/predict{token} -d '{{\"ids\": [1]}}'")
    sys.stdout.flush()
