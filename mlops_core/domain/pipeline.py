"""A pipeline as a document: what the exporters write and `mlops run --from` reads.

It has everything of a DAG but the functions: those are the use case's own, found again by the tasks' names.
"""

from __future__ import annotations

import re
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


_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
_CRON: tuple[tuple[str, int, int, list[str]], ...] = (  # a field, its least, its most and its names
    ("minute", 0, 59, []),
    ("hour", 0, 23, []),
    ("day of the month", 1, 31, []),
    ("month", 1, 12, ["", *_MONTHS]),
    ("day of the week", 0, 7, _DAYS),
)


def _cron(text: str) -> str:
    """The five fields as POSIX's crontab has them, with names and steps: what every scheduler reads alike."""
    fields = text.split()
    if len(fields) != len(_CRON):
        raise ValueError(f"expected the five fields of a cron schedule, such as '0 6 * * 1', got {text!r}")
    for field, (name, least, most, names) in zip(fields, _CRON, strict=True):
        if not all(_of_cron(part, least, most, names) for part in field.split(",")):
            raise ValueError(
                f"expected {name} as *, {least}-{most}, a list or a step such as */2 in a cron schedule, "
                f"got {field!r} in {text!r}"
            )
    return " ".join(fields)


def _of_cron(part: str, least: int, most: int, names: list[str]) -> bool:
    found = re.fullmatch(r"(\*|\w+(?:-\w+)?)(?:/([0-9]{1,3}))?", part, re.ASCII)
    if found is None or (found[2] is not None and not 1 <= int(found[2]) <= most):
        return False
    if found[1] == "*":
        return True
    ends = [_number(word, names) for word in found[1].split("-")]
    return least <= ends[0] <= ends[-1] <= most and (found[2] is None or len(ends) > 1)


def _number(word: str, names: list[str]) -> int:
    if word.isdigit() and len(word) <= 2:
        return int(word)
    return names.index(word.upper()) if word.upper() in names else -1


class Retry(Value):
    """How often a task is attempted, how long is waited in between, and after which errors."""

    attempts: int = Field(default=1, ge=1, description="How often it is attempted at most.")
    delay_seconds: float = Field(
        default=1.0, ge=0, description="How long is waited after the first attempt, in seconds."
    )
    backoff: float = Field(default=2.0, ge=1, description="How many times longer each further wait is.")
    max_delay_seconds: float = Field(
        default=60.0, ge=0, description="No wait is longer than this, in seconds."
    )
    jitter: float = Field(
        default=0.0, ge=0, le=1, description="The largest part by which a wait is shortened at random."
    )
    retry_on: tuple[str, ...] = Field(
        default=("Unavailable",),
        description="The errors after which another attempt is worth it: those of mlops and Python's own by "
        "their class, others as module:Class.",
    )


class TaskEntry(Value):
    """A task: what it waits for, and how it is attempted."""

    name: str = Field(min_length=1, description="Its name, such as gate.")
    upstream: tuple[str, ...] = Field(
        default=(), description="The names of the tasks that must have finished before."
    )
    retry: Retry = Field(default=Retry(), description="How it is attempted again.")
    timeout_seconds: float | None = Field(
        default=None, gt=0, description="How long each attempt may take, in seconds. Default: any time."
    )
    tags: tuple[str, ...] = Field(default=(), description="For people, and for what groups tasks by them.")
    description: str = Field(default="", description="For people.")


class Schedule(Value):
    """When it runs by itself."""

    cron: Annotated[str, AfterValidator(_cron)] = Field(
        description="Minute, hour, day of the month, month, day of the week, such as 0 6 * * 1."
    )
    timezone: Annotated[str, AfterValidator(_zone)] = Field(
        default="UTC", description="The time zone in which it is read, such as Europe/Berlin."
    )


class Consent(Value):
    """The question to a person, where the policy wants one."""

    task: str = Field(description="The task that asks.")
    expires: timedelta = Field(description="How long the question stands, such as P7D.")

    @property
    def span(self) -> str:
        """The same in words, such as 7 days, or 1 day, 12:00:00."""
        return str(self.expires).removesuffix(", 0:00:00")


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
    """A use case's pipeline, with the parameters that its runs are told."""

    version: Literal[1] = Field(default=1, description="Of this form of file.")
    name: str = Field(description="The use case's own name.")
    use_case: str = Field(description="How commands find it: by its name, or as module:ATTRIBUTE.")
    parameters: dict[str, JsonValue] = Field(
        default_factory=dict,
        description="What its runs are told, by the names of the options of `mlops run`, where that differs "
        "from the default.",
    )
    schedule: Schedule | None = Field(default=None, description="When it runs by itself. Default: never.")
    consent: Consent | None = Field(
        default=None, description="Whom it asks, as the use case's policy has it. Default: nobody."
    )
    tasks: tuple[TaskEntry, ...] = Field(description="Its tasks, each after those that it waits for.")
