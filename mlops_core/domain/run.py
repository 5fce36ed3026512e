"""A run whose stages are processes of their own: what its folder holds."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field, JsonValue

from mlops_core.domain.value import Value

__all__ = ["BegunRun", "FailedTask", "KeptReceipt"]


class BegunRun(Value):
    """What a run was told when its first task began, which holds for all of them.

    `parameters` are those that differ from their defaults.
    """

    version: Literal[1] = 1
    use_case: str
    parameters: dict[str, JsonValue] = Field(default_factory=dict)
    begun_at: datetime


class KeptReceipt(Value):
    """A task's receipt, and the digests of the receipts that it was made from by the names of their tasks."""

    task: str
    receipt: dict[str, JsonValue]
    upstream: dict[str, str] = Field(default_factory=dict)


class FailedTask(Value):
    """Why a task's last attempt failed; `retry` says whether another one is worth it."""

    task: str
    error: str
    message: str
    retry: bool
    at: datetime
