"""What GitHub answers, as far as it is read here; fields that are not are passed over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from mlops_core.errors import MlopsError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Comment", "Deployment", "Dispatched", "Run", "Runs", "Said", "Status", "parsed", "state_of"]

State = Literal["error", "failure", "inactive", "in_progress", "queued", "pending", "success"]


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _User(_Answer):
    login: str
    type: str = "User"


class _Environment(_Answer):
    name: str


class Deployment(_Answer):
    """One attempt to deliver; `task` says of what."""

    id: int
    task: str


class Status(_Answer):
    """What was told of a deployment."""

    state: State | Literal["waiting"]
    description: str | None = None
    log_url: str | None = None
    target_url: str | None = None

    @property
    def url(self) -> str:
        """Where the one who told it works; empty when it did not say."""
        return self.log_url or self.target_url or ""


class Run(_Answer):
    """A run of a workflow."""

    html_url: str
    display_title: str = ""
    status: str | None = None

    @property
    def ended(self) -> bool:
        """Whether it is over, well or not; one that is run again is not."""
        return self.status == "completed"


class Runs(_Answer):
    """A page of them, newest first."""

    workflow_runs: tuple[Run, ...]


class Dispatched(_Answer):
    """The run that was started, as GitHub says since February 2026."""

    html_url: str


class Said(_Answer):
    """A review of a run, for the environments that waited for one."""

    state: str
    user: _User | None = None
    comment: str | None = None
    environments: tuple[_Environment, ...] = ()


class Comment(_Answer):
    """A comment of an issue or pull request."""

    id: int
    html_url: str
    body: str | None = None
    user: _User | None = None


_T = TypeVar("_T")


def parsed(kind: type[_T], answer: Any, what: str) -> _T:
    """An answer as a value. Raises `MlopsError` when it is not what GitHub publishes; `what` it is about."""
    try:
        return TypeAdapter(kind).validate_python(answer)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "it"
        raise MlopsError(
            f"the answer about {what} is not GitHub's: {where}: {first['msg']}. See that the API is the one "
            "meant (MLOPS_GITHUB_API), and that nothing between answers in its place"
        ) from error


def state_of(told: Sequence[Status]) -> Status | None:
    """The state of a deployment by its statuses, newest first; None before the first.

    "queued" is told by who orders, all else by who delivers, and they do not wait for each other: so it is
    never news where anything else was told.
    """
    at_work = [status for status in told if status.state != "queued"]
    return next(iter([*at_work, *told]), None)
