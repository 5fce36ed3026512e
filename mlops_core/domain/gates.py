"""Gates: what a candidate must show before it may serve, and what was decided."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from mlops_core.domain.conditions import Where
from mlops_core.domain.digest import digest_of
from mlops_core.domain.features import Name
from mlops_core.domain.metrics import MetricName
from mlops_core.domain.time import days
from mlops_core.domain.value import Value

__all__ = [
    "Approval",
    "Check",
    "GateDecision",
    "GatePolicy",
    "MetricName",
    "NonInferiority",
    "Outcome",
    "Slice",
    "Superiority",
]

Outcome = Literal["passed", "failed", "not applicable"]


class Superiority(Value):
    """The challenger must be better: by at least `smallest_effect`, and surely by more than nothing.

    Surely means that the lower confidence bound of its gain lies above zero. `smallest_effect` is in units of
    the metric: a gain that is certain but smaller is not worth a change.
    """

    kind: Literal["superiority"] = "superiority"
    smallest_effect: float = Field(default=0.0, ge=0)


class NonInferiority(Value):
    """The challenger must not be worse by `margin` or more: the lower confidence bound of its gain says so.

    For models that are wanted for their newer data: one that is as good as the champion passes, given rows
    enough to show it. `margin` is in units of the metric.
    """

    kind: Literal["non-inferiority"] = "non-inferiority"
    margin: float = Field(default=0.002, gt=0)


class Slice(Value):
    """Rows that are looked at by themselves: those that meet all conditions on feature columns."""

    name: Name
    where: tuple[Where, ...] = Field(min_length=1)


def _ahead(span: timedelta) -> timedelta:
    if span <= timedelta(0):
        raise ValueError(f"an approval is waited for: give more than zero, got {span}")
    return span


class Approval(Value):
    """A person must consent before a version goes to Production.

    The request expires after `expires`, and with it an approval that was not used. `by_another` refuses the
    one who started the run. `approvers` are the names that may answer; empty: anyone.
    """

    expires: Annotated[timedelta, AfterValidator(_ahead)] = days(7)
    by_another: bool = False
    approvers: tuple[str, ...] = ()


class GatePolicy(Value):
    """Armed by default: there is no way to say "no gate"; single limits can be moved, or lifted with None.

    *Without a champion.* The pessimistic end of the interval of `metric` must reach `floor` (a loss must stay
    at or below it). `floors` and `ceilings` bound further metrics by their values. At least `minimum_rows`
    and `minimum_per_class` (binary labels) rows are looked at. `calibration` is the most that the expected
    calibration error may be (numbers: the bias, in standard deviations of the label). A prediction takes at
    most `latency_ms` milliseconds (median), the model at most `size_mb` megabytes.

    *Against the champion*, on the same rows, by paired tests at one-sided `confidence`: `comparison` of
    `metric`; `scoring_rule`, a proper one, must not be worse by `scoring_margin`, nor
    `metric` within each of `slices` by `slice_margin`. `drift` is the most that a feature's population
    stability index may be, from the champion's training data to the challenger's; those in `expected_drift`
    may move.

    `approval` asks for a person's consent. A metric that is NaN or infinite fails its check, always.
    `replaced_floor` is the floor of the definitions where a run was told another: see `with_floor`.
    """

    metric: MetricName = "roc_auc"
    floor: float
    floors: dict[MetricName, float] = Field(default_factory=dict)
    ceilings: dict[MetricName, float] = Field(default_factory=dict)
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    comparison: Annotated[Superiority | NonInferiority, Field(discriminator="kind")] = Superiority()
    scoring_rule: MetricName | None = "brier"
    scoring_margin: float = Field(default=0.002, gt=0)
    slices: tuple[Slice, ...] = ()
    slice_margin: float = Field(default=0.02, gt=0)
    calibration: float | None = Field(default=0.05, gt=0)
    drift: float | None = Field(default=0.25, gt=0)
    expected_drift: tuple[Name, ...] = ()
    latency_ms: float | None = Field(default=100.0, gt=0)
    size_mb: float | None = Field(default=500.0, gt=0)
    minimum_rows: int = Field(default=500, ge=1)
    minimum_per_class: int = Field(default=50, ge=1)
    approval: Approval | None = None
    replaced_floor: float | None = None

    def with_floor(self, floor: float) -> GatePolicy:
        """The policy of a run that was told another floor; what the definitions say stays known."""
        stated = self.floor if self.replaced_floor is None else self.replaced_floor
        return self.model_copy(update={"floor": floor, "replaced_floor": stated})

    @property
    def stated(self) -> GatePolicy:
        """The policy as the definitions have it, whatever floor a run was told."""
        if self.replaced_floor is None:
            return self
        return self.model_copy(update={"floor": self.replaced_floor, "replaced_floor": None})

    @property
    def metrics(self) -> tuple[str, ...]:
        """Every metric that the policy names, once, `metric` first."""
        named = [self.metric, *self.floors, *self.ceilings]
        if self.scoring_rule is not None:
            named.append(self.scoring_rule)
        return tuple(dict.fromkeys(named))


class Check(Value):
    """One question of the gate: what was asked, what came, and a sentence a person can read.

    `figures` follow from the data; `measured` are those that depend on the machine and the moment, and that
    no digest holds. Figures that are not finite are told in the sentence alone.
    """

    name: str
    outcome: Outcome
    sentence: str
    figures: dict[str, float] = Field(default_factory=dict)
    measured: dict[str, float] = Field(default_factory=dict)


class GateDecision(Value):
    """The gate's answer for one version against one champion, with every check it rests on.

    `policy` is the one applied, `code` the digest of the code that judged.
    """

    verdict: Literal["passed", "rejected"]
    version: int
    model_digest: str
    champion: int | None = None
    champion_digest: str | None = None
    checks: tuple[Check, ...]
    policy: GatePolicy
    code: str

    @property
    def reasons(self) -> tuple[str, ...]:
        """The sentences of the failed checks, or of all when it passed."""
        failed = tuple(check.sentence for check in self.checks if check.outcome == "failed")
        return failed or tuple(check.sentence for check in self.checks if check.outcome == "passed")

    @property
    def failed(self) -> tuple[str, ...]:
        """The names of the failed checks."""
        return tuple(check.name for check in self.checks if check.outcome == "failed")

    @property
    def digest(self) -> str:
        """Digest of the decision, without what depends on the machine: sentences and measured figures."""
        checks = [[check.name, check.outcome, check.figures] for check in self.checks]
        whole = self.model_dump(mode="json", exclude={"checks"})
        return digest_of([whole, checks])
