"""A release on trial as the servers that answer callers have it: its terms, its requests, the verdict."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import Field

from mlops_core.domain.release import Release
from mlops_core.domain.traffic import Bounds, Served, Share
from mlops_core.domain.value import Value

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["OnTrial", "Tally", "Terms", "Verdict", "share_told"]


class Terms(Value):
    """How a release is tried, see `Share`."""

    percent: int = Field(ge=1, le=100)
    shadow: bool = False
    bounds: Bounds = Bounds()


class OnTrial(Terms):
    """A release on trial; `share` names this trial among all others."""

    share: str
    release: Release


class Tally(Value):
    """How many requests the release of `share` was given by one server, and how many of them failed."""

    share: str
    requests: int = Field(default=0, ge=0)
    errors: int = Field(default=0, ge=0)


class Verdict(Tally):
    """Why a server took the release of `share` back. `by` is the server, as it names itself."""

    why: str
    at: datetime
    by: str


def share_told(served: Served, terms: Terms, told: Sequence[Tally], verdict: Verdict | None) -> Share:
    """The share that servers have told of, each of its own requests; the verdict is one server's."""
    heard = [one for one in (verdict, _sum(told)) if one is not None]
    return Share(
        **served.model_dump(),
        percent=terms.percent,
        shadow=terms.shadow,
        ended=verdict.why if verdict else None,
        requests=max((one.requests for one in heard), default=None),
        errors=max((one.errors for one in heard), default=None),
    )


def _sum(told: Sequence[Tally]) -> Tally | None:
    if not told:
        return None
    requests, errors = sum(one.requests for one in told), sum(one.errors for one in told)
    return Tally(share=told[0].share, requests=requests, errors=errors)
