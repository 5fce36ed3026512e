"""A pipeline as a document: what the exporters write and `mlops run --from` reads.

It has everything of a DAG but the functions: those are the use case's own, found again by the tasks' names.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, JsonValue

from mlops_core.domain.value import Value

__all__ = ["Consent", "Parameter", "PipelineDocument", "Retry", "Schedule", "TaskEntry"]


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        raise ValueError(f"expected the name of a time zone, such as Europe/Berlin, got {name!r}") from None
    return name


def _cron(text: str) -> str:
    fields = text.split()
    if len(fields) != 5:
        raise ValueError(f"expected the five fields of a cron schedule, such as '0 6 * * 1', got {text!r}")
    return " ".join(fields)


class Retry(Value):
    """A task's `RetryPolicy`; `retry_on` names the errors.

    Ours and Python's own by their class, those of others as module:Class.
    """

    attempts: int = Field(default=1, ge=1)
    delay_seconds: float = Field(default=1.0, ge=0)
    backoff: float = Field(default=2.0, ge=1)
    max_delay_seconds: float = Field(default=60.0, ge=0)
    jitter: float = Field(default=0.0, ge=0, le=1)
    retry_on: tuple[str, ...] = ("Unavailable",)


class TaskEntry(Value):
    """A task: what it waits for, and how it is attempted."""

    name: str = Field(min_length=1)
    upstream: tuple[str, ...] = ()
    retry: Retry = Retry()
    timeout_seconds: float | None = Field(default=None, gt=0)
    tags: tuple[str, ...] = ()
    description: str = ""


class Schedule(Value):
    """When it runs by itself: a cron expression of five fields, read in a time zone."""

    cron: Annotated[str, AfterValidator(_cron)]
    timezone: Annotated[str, AfterValidator(_zone)] = "UTC"


class Consent(Value):
    """The task that asks a person, where the policy wants one, and how long the question stands."""

    task: str
    expires: timedelta


class Parameter(Value):
    """Something that a run may be told, as a form shows it. `default` is what it is told otherwise."""

    name: str
    kind: Literal["text", "path", "date", "number", "integer", "flag"]
    default: JsonValue = None
    description: str = ""

    @property
    def option(self) -> str:
        """Its name on a command line."""
        return f"--{self.name.replace('_', '-')}"


class PipelineDocument(Value):
    """A use case's pipeline, with the parameters that its runs are told.

    `name` is the use case's own, `use_case` how commands find it: the same, or module:ATTRIBUTE. Tasks stand
    in topological order. `parameters` are those that differ from their defaults.
    """

    version: Literal[1] = 1
    name: str
    use_case: str
    parameters: dict[str, JsonValue] = Field(default_factory=dict)
    schedule: Schedule | None = None
    consent: Consent | None = None
    tasks: tuple[TaskEntry, ...]
