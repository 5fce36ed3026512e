"""`mlops serve USE_CASE`: an HTTP server that follows the current release."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

from mlops_core.commands.output import say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

__all__ = ["add"]


def add(verbs: Any, words: Sequence[str]) -> None:  # noqa: ARG001 - every verb is added the same way
    """Add the verb."""
    parser = verbs.add_parser("serve", help="serve predictions over HTTP, following releases")
    parser.add_argument("use_case", metavar="USE_CASE")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, default=8080, help="port, 0 for any free one (default: 8080)")
    parser.set_defaults(command=_serve)


def _serve(arguments: argparse.Namespace) -> int:
    from mlops_core.serving.app import create_app
    from mlops_core.serving.follower import ReleaseFollower
    from mlops_core.serving.server import serve
    from mlops_core.settings import Settings
    from mlops_core.usecases import find
    from mlops_core.wiring import ConfiguredEngines

    name = find(arguments.use_case).name
    engines = ConfiguredEngines(Settings.load())
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(message)s")
    logging.getLogger("mlops_core").setLevel(logging.INFO)
    follower = ReleaseFollower(name=name, source=engines.releases, store=engines.online)
    app = create_app(follower=follower)
    serve(app, host=arguments.host, port=arguments.port, announce=lambda url: _announce(url, name))
    return 0


def _announce(url: str, name: str) -> None:
    say(f"serving {name} at {url}; stop with Ctrl-C. Try:")
    say(f"  curl -s {url}/predict -d '{{\"ids\": [1]}}'")
    sys.stdout.flush()
