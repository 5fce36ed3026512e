"""Parameters of one delivery: the one definition behind the flow's form, its schedules and both commands."""

from __future__ import annotations

from datetime import date
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model, field_validator

from mlops_core.domain.periods import Period, last_days
from mlops_core.errors import BadInput
from mlops_core.validation import validated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import ValidationInfo

    from mlops_core.domain.sources import Data
    from mlops_core.domain.usecase import UseCase

__all__ = [
    "MOST_DAYS",
    "BackfillParameters",
    "DeliveryParameters",
    "PromotionParameters",
    "RefreshParameters",
    "RollbackParameters",
    "SegmentsParameters",
    "data_of",
    "parameters_of",
]

MOST_DAYS = 1_000
"""That one backfill takes."""


class DeliveryParameters(BaseModel):
    """What a run may be told; everything else is the use case's definition or the machine's settings."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    data: Path | None = Field(
        default=None,
        description="Events: a Parquet or CSV file, a folder of them or a glob. "
        "Default: what the use case names.",
    )
    as_of: date | None = Field(
        default=None,
        description="Last day the run may know of, like 1998-06-30; labels must have closed by then. "
        "Default: the day of the last event.",
    )
    candidates: tuple[str, ...] = Field(
        default=(), min_length=1, description="Models to train and choose from."
    )
    floor: float | None = Field(
        default=None, description="Floor of the gate's metric for this run. Default: the use case's."
    )
    fail_on_rejection: bool = Field(
        default=False,
        description="End with exit code 3 (in Prefect: as failed) when the gate, or a person, says no.",
    )
    actor: str | None = Field(
        default=None,
        min_length=1,
        description="Who runs this, for the ledger. Default: MLOPS_ACTOR, or the user of the process.",
    )

    def applied_to(self, use_case: UseCase) -> UseCase:
        """The use case as this run wants it: fewer candidates, another floor."""
        chosen = tuple(one for one in use_case.candidates if one.name in self.candidates)
        gate = use_case.gate if self.floor is None else use_case.gate.with_floor(self.floor)
        return use_case.model_copy(update={"candidates": chosen, "gate": gate})

    def data_of(self, use_case: UseCase) -> dict[str, Data]:
        """The events of each source; `data` stands in for those of the label's source.

        A source that appends may have none: it stays as it is.
        """
        return data_of(use_case, {use_case.label.source: self.data} if self.data is not None else {})


class RefreshParameters(BaseModel):
    """What a refresh of a feature store may be told."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    use_case: str = Field(default="churn", description="Whose features, such as churn or module:ATTRIBUTE.")
    data: Path | None = Field(
        default=None,
        description="Events of the label's source: a file, a folder or a glob. "
        "Default: what the use case names.",
    )
    as_of: date | None = Field(
        default=None,
        description="Last day that may be known, like 1998-06-30. Default: that of the last event.",
    )
    quarantine: Path | None = Field(
        default=None,
        description="Folder for rows that break a rule, one file a source. Default: such rows stop the run.",
    )


class BackfillParameters(BaseModel):
    """What a backfill may be told: which days, of which use case."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    use_case: str = Field(default="churn", description="Whose models, such as churn or module:ATTRIBUTE.")
    first: date = Field(description="No as-of day lies before this day, like 1998-03-01.")
    last: date = Field(description="And none after this one, like 1998-06-30.")
    every: Period = Field(
        default="month",
        validate_default=True,
        description="One as-of day for each: its last day, where that is within the range.",
    )
    data: Path | None = Field(
        default=None,
        description="Events of the label's source: a file, a folder or a glob. "
        "Default: what the use case names.",
    )
    candidates: tuple[str, ...] = Field(
        default=(), description="Models to train and choose from. Default: all of the use case."
    )

    @property
    def days(self) -> tuple[date, ...]:
        """The as-of days, ascending."""
        return tuple(last_days(self.first, self.last, self.every))

    def applied_to(self, use_case: UseCase) -> UseCase:
        """The use case with the candidates that were asked for.

        Raises `BadInput` for one that it does not have.
        """
        known = {one.name: one for one in use_case.candidates}
        unknown = sorted(set(self.candidates) - known.keys())
        if unknown:
            raise BadInput(
                f"--candidates: {use_case.name} has {', '.join(known)}, got {', '.join(map(repr, unknown))}"
            )
        chosen = tuple(one for name, one in known.items() if name in (self.candidates or known))
        return use_case.model_copy(update={"candidates": chosen})

    def data_of(self, use_case: UseCase) -> dict[str, Data]:
        """The events of each source; see `DeliveryParameters.data_of`."""
        return data_of(use_case, {use_case.label.source: self.data} if self.data is not None else {})

    @field_validator("last")
    @classmethod
    def _in_order(cls, last: date, info: ValidationInfo) -> date:
        first = info.data.get("first", last)
        if last < first:
            raise ValueError(f"expected {first} or later, since --first is that")
        return last

    @field_validator("every")
    @classmethod
    def _some_and_not_too_many(cls, every: Period, info: ValidationInfo) -> Period:
        if not {"first", "last"} <= info.data.keys():
            return every  # what is wrong with those is said of them
        first, last = info.data["first"], info.data["last"]
        found = sum(1 for _ in islice(last_days(first, last, every), MOST_DAYS + 1))
        if not found:
            raise ValueError(f"expected a period of which one ends from {first} to {last}")
        if found > MOST_DAYS:
            raise ValueError(
                f"expected at most {MOST_DAYS:,} days, and {first} to {last} has more: split the range"
            )
        return every


class SegmentsParameters(BaseModel):
    """What a delivery of several use cases at once may be told."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    use_cases: tuple[str, ...] = Field(
        min_length=1, description="The use cases, one a segment, such as churn or module:ATTRIBUTE."
    )
    as_of: date | None = Field(
        default=None,
        description="Last day the run may know of, like 1998-06-30; labels must have closed by then. "
        "Default: the day of each one's last event.",
    )
    fail_on_rejection: bool = Field(
        default=False,
        description="End with exit code 3 (in Prefect: as failed) when the gate, or a person, says no.",
    )
    actor: str | None = Field(
        default=None,
        min_length=1,
        description="Who runs this, for the ledger. Default: MLOPS_ACTOR, or the user of the process.",
    )

    def of(self, use_case: UseCase) -> DeliveryParameters:
        """The parameters of the delivery of one of them."""
        told = self.model_dump(include={"as_of", "fail_on_rejection", "actor"})
        return validated(parameters_of(use_case), told)


class PromotionParameters(BaseModel):
    """What a promotion that asks a person may be told."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    use_case: str = Field(default="churn", description="Whose model, such as churn or module:ATTRIBUTE.")
    version: int | None = Field(
        default=None,
        ge=1,
        description="The version to ask about. Default: none; parked runs are settled by the ledger.",
    )
    request: str = Field(
        default="",
        pattern="^[0-9a-f]{0,64}$",
        description="Digest of the question, or its beginning. Default: what is asked about the version now.",
    )
    actor: str | None = Field(
        default=None,
        min_length=1,
        description="Who promotes, where no approval is asked for. "
        "Default: MLOPS_ACTOR, or the user of the process.",
    )
    reason: str | None = Field(
        default=None,
        min_length=1,
        description="Why it is promoted, where no approval is asked for; kept in the ledger.",
    )


class RollbackParameters(BaseModel):
    """What a rollback may be told."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    use_case: str = Field(default="churn", description="Whose model, such as churn or module:ATTRIBUTE.")
    to: int | None = Field(
        default=None,
        ge=1,
        description="The version to go back to. Default: the one that served before this one.",
    )
    reason: str = Field(min_length=1, description="Why; kept in the ledger.")
    actor: str | None = Field(
        default=None,
        min_length=1,
        description="Who does it, for the ledger. Default: MLOPS_ACTOR, or the user of the process.",
    )


def data_of(use_case: UseCase, given: Mapping[str, Data]) -> dict[str, Data]:
    """The events of each source: those given, or where its definition says that they lie.

    Raises `BadInput` when a source that does not append has none.
    """
    found = {source.name: given.get(source.name, source.data) for source in use_case.sources}
    missing = sorted(one.name for one in use_case.sources if found[one.name] is None and not one.append)
    if missing:
        raise BadInput(
            f"no events for source {', '.join(missing)}: name them in its definition or give them with --data"
        )
    return {name: data for name, data in found.items() if data is not None}


def parameters_of(use_case: UseCase) -> type[DeliveryParameters]:
    """The parameters of one use case: its candidates become a closed choice."""
    names = tuple(candidate.name for candidate in use_case.candidates)
    choice = tuple[Literal[names], ...]  # type: ignore[valid-type]  # the choice is only known at run time
    base = DeliveryParameters.model_fields["candidates"]
    field = Field(default=names, min_length=1, description=base.description)
    title = use_case.name.title().replace("_", "")
    made: type[DeliveryParameters] = create_model(
        f"{title}Parameters", __base__=DeliveryParameters, candidates=(choice, field)
    )
    return made
