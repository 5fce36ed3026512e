"""Gates: what a candidate must show before it may serve, and what was decided."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from mlops_core.domain.metrics import MetricName
from mlops_core.domain.value import Value

__all__ = ["Check", "GateDecision", "GatePolicy", "MetricName"]


class GatePolicy(Value):
    """Armed by default: there is no way to say "no gate".

    `metric` is what is compared; its interval's pessimistic end must reach `floor` (for losses: stay at or
    below). Against a champion the paired interval of the difference on the same rows, at `confidence`, must
    lie above `-tolerance`: not worse by more than that. `ceilings` and `floors` bound further metrics by
    their point values.
    """

    metric: MetricName = "roc_auc"
    floor: float
    floors: dict[MetricName, float] = Field(default_factory=dict)
    ceilings: dict[MetricName, float] = Field(default_factory=dict)
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    tolerance: float = Field(default=0.002, ge=0)
    minimum_rows: int = Field(default=500, ge=1)
    minimum_per_class: int = Field(default=50, ge=1)


class Check(Value):
    """One question of the gate: what was asked, what came, and a sentence a person can read."""

    name: str
    outcome: Literal["passed", "failed", "not applicable"]
    sentence: str
    figures: dict[str, float] = Field(default_factory=dict)


class GateDecision(Value):
    """The gate's answer for one version against one champion, with every check it rests on."""

    verdict: Literal["passed", "rejected"]
    version: int
    model_digest: str
    champion: int | None = None
    champion_digest: str | None = None
    checks: tuple[Check, ...]
    policy_digest: str

    @property
    def reasons(self) -> tuple[str, ...]:
        """The sentences of the failed checks, or of all when it passed."""
        failed = tuple(check.sentence for check in self.checks if check.outcome == "failed")
        return failed or tuple(check.sentence for check in self.checks if check.outcome == "passed")
