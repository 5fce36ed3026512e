"""What is said of a stage's use in a run: whether it had to work, how long, and from which inputs."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from mlops_core.domain.inputs import Inputs
from mlops_core.domain.value import Value

__all__ = ["Took", "Use"]


class Took(Value):
    """One time that a stage worked: `seconds` of wall clock, its result named by `key`."""

    at: datetime
    key: str
    seconds: float = Field(ge=0)


class Use(Value):
    """The last time that a run came through a stage, and how long it took when it had to work.

    `executed` says whether it made something then, or found it made. `worked` are the last times that it did,
    oldest first.
    """

    at: datetime
    inputs: Inputs
    executed: bool
    worked: tuple[Took, ...] = ()
