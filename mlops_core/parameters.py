"""Parameters of one delivery: the one definition behind the flow's form, its schedules and both commands."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from mlops_core.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_core.domain.usecase import UseCase

__all__ = ["DeliveryParameters", "parameters_of", "validated"]

P = TypeVar("P", bound=BaseModel)


class DeliveryParameters(BaseModel):
    """What a run may be told; everything else is the use case's definition or the machine's settings."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    data: Path | None = Field(
        default=None, description="Events file, Parquet or CSV. Default: the file that the use case names."
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
        default=False, description="End with exit code 3 (in Prefect: as failed) when the gate says no."
    )

    def applied_to(self, use_case: UseCase) -> UseCase:
        """The use case as this run wants it: fewer candidates, another floor."""
        chosen = tuple(one for one in use_case.candidates if one.name in self.candidates)
        gate = use_case.gate
        if self.floor is not None:
            gate = gate.model_copy(update={"floor": self.floor})
        return use_case.model_copy(update={"candidates": chosen, "gate": gate})

    def files_of(self, use_case: UseCase) -> dict[str, Path]:
        """The events file of each source; `data` stands in for that of the label's source."""
        files = {source.name: source.path for source in use_case.sources}
        if self.data is not None:
            files[use_case.label.source] = self.data
        missing = sorted(name for name, path in files.items() if path is None)
        if missing:
            raise BadInput(f"no events file for source {', '.join(missing)}: give one with --data")
        return {name: path for name, path in files.items() if path is not None}


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


def validated(model: type[P], values: Mapping[str, Any]) -> P:
    """The parameters, or one `BadInput` that names each offending option, what came and what was expected."""
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        problems = [_sentence(dict(problem)) for problem in error.errors()]
        raise BadInput("; ".join(dict.fromkeys(problems))) from error


def _sentence(problem: dict[str, Any]) -> str:
    name = str(problem["loc"][0]) if problem["loc"] else "parameters"
    came = problem.get("input")
    expected = problem["msg"][0].lower() + problem["msg"][1:]
    if problem["type"].startswith("date_"):
        expected = "expected a date like 1998-06-30"
    return f"--{name.replace('_', '-')}: {expected}, got {came!r}"
