"""What a canary came to, and what it is held to; the same for every target."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from mlops_core.domain.gates import Check
from mlops_core.domain.value import Value

__all__ = ["FEWEST_REQUESTS", "MAX_LATENCY_MS", "MAX_SHIFT", "MOST_REQUESTS", "REQUESTS", "Canary", "Limits"]

REQUESTS = 200
"""How many entities the feature store looks at, too, when it compares online values with history."""

FEWEST_REQUESTS = 100
"""The slowest of a hundred is looked at: fewer have no 99th percentile."""

MOST_REQUESTS = 100_000

MAX_LATENCY_MS = 250.0
"""The 99th percentile of one request over HTTP, milliseconds. The gate allows 100 ms for the median of one
prediction in process; on loopback this server takes 3 ms in the median and 18 to 47 ms in the 99th percentile
under load, so five times that is a fault and not a busy machine."""

MAX_SHIFT = 0.5
"""Population stability index of the scores, see `shift`. By custom 0.25 is a large shift of the scores of one
model between two populations (N. Siddiqi, "Credit Risk Scorecards", 2006). Here two models score one: on the
bundled churn data a month more to learn from comes to 0.004, and a logistic regression in place of boosting,
which the gate finds better, to 0.27; its scores 0.1 too low to 4. Two features mixed up come to 1 or 2 in the
logistic regression and to 0.04 to 0.2 in boosting: that is what `probes` are for, not this."""


class Limits(Value):
    """How many requests are made, and what the answers may be at most; None lifts a limit."""

    requests: int = Field(default=REQUESTS, ge=FEWEST_REQUESTS, le=MOST_REQUESTS)
    latency_ms: float | None = Field(default=MAX_LATENCY_MS, gt=0)
    shift: float | None = Field(default=MAX_SHIFT, gt=0)


class Canary(Value):
    """How a version answered at `target`, beside version `against`, which callers have.

    `release` is where it lies there. `entities` were asked about, with the features that they had online as
    of `features_as_of`.
    """

    name: str
    version: int
    digest: str
    target: str
    release: str
    against: int | None
    entities: int
    features_as_of: datetime
    limits: Limits
    checks: tuple[Check, ...] = Field(min_length=1)

    @property
    def verdict(self) -> Literal["passed", "failed"]:
        """Whether the version may go on."""
        return "failed" if self.failed else "passed"

    @property
    def failed(self) -> tuple[str, ...]:
        """The names of the failed checks."""
        return tuple(check.name for check in self.checks if check.outcome == "failed")
