"""A version handed over to a delivery that runs elsewhere, such as a workflow of GitHub Actions."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from mlops_core.domain.value import Value

__all__ = ["Handover", "Order"]


class Order(Value):
    """What is to be delivered: a registered version, by number and digest; who orders it, and why."""

    name: str
    version: int = Field(ge=1)
    digest: str
    actor: str
    reason: str


class Handover(Value):
    """What became of an order: it waits or is at work elsewhere, or it has ended there.

    `to` names who took it, such as GitHub, and `url` is where a person looks. Ordering the same again gives
    the same handover, unless it failed.
    """

    to: str
    state: Literal["queued", "in progress", "delivered"]
    url: str
