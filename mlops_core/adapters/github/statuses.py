"""How a deployment goes: GitHub keeps what it is told, newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_core.adapters.github.answers import Status, parsed, state_of
from mlops_core.adapters.github.errors import Purpose
from mlops_core.errors import BadInput

if TYPE_CHECKING:
    from mlops_core.adapters.github.client import Client

__all__ = ["add", "look", "shortened", "tell"]

_STATES = ("queued", "pending", "in_progress", "success", "failure", "error", "inactive")
_LONGEST = 140  # letters of a description


def look(github: Client, deployment: int) -> Status | None:
    """The state of a deployment; None where nothing was told of it yet."""
    return state_of(_told(github, deployment))


def tell(github: Client, deployment: int, state: str, description: str, url: str = "") -> None:
    """Add a status, unless it is the newest. Raises `BadInput` for a state that GitHub has not."""
    if state not in _STATES:
        raise BadInput(f"{state!r} is no state of a deployment: give one of {', '.join(_STATES)}")
    newest = _told(github, deployment)[:1]
    known = [(one.state, one.description or "", one.url) for one in newest]
    if known != [(state, shortened(description), url)]:
        add(github, deployment, state, description, url)


def add(github: Client, deployment: int, state: str, description: str, url: str = "") -> None:
    """Add a status, for who has looked."""
    body = {"state": state, "description": shortened(description), **({"log_url": url} if url else {})}
    github.write("POST", _path(deployment), _purpose(deployment), body)


def shortened(text: str) -> str:
    """As much of it as GitHub takes for a description, in one line."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def _told(github: Client, deployment: int) -> tuple[Status, ...]:
    purpose = _purpose(deployment)
    answer = github.read(_path(deployment), purpose, per_page=30)
    return parsed(tuple[Status, ...], answer, purpose.what)


def _path(deployment: int) -> str:
    return f"/deployments/{deployment}/statuses"


def _purpose(deployment: int) -> Purpose:
    return Purpose(f"deployment {deployment}", "deployments: write")
