"""Bodies of `POST /predict`: the short way, by ids whose features are in the online store."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field

from mlops_core.domain.online import Key
from mlops_core.domain.value import Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_core.domain.release import Release
    from mlops_core.serving.predictor import Prediction

__all__ = ["MAX_IDS", "NumberedEntity", "PredictRequest", "PredictResponse", "PredictedEntity"]

MAX_IDS = 1000

# What an int64 or a string column can hold: nothing else can be a key.
Part = Annotated[int, Field(ge=-(2**63), lt=2**63)] | Annotated[str, Field(max_length=1024)]
# A composite key is an array of its parts; JSON has no tuples, so a list is taken for one.
Id = Part | Annotated[tuple[Part, ...], Field(strict=False, min_length=2, max_length=16)]


class PredictRequest(BaseModel):
    """Whom to predict; ids are typed, "1" is not 1."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    ids: Annotated[list[Id], Field(fail_fast=True, min_length=1, max_length=MAX_IDS)]

    def strings(self) -> int:
        """How many strings its JSON has, the name of the field included."""
        parts = (part for key in self.ids for part in (key if isinstance(key, tuple) else (key,)))
        return 1 + sum(isinstance(part, str) for part in parts)


class PredictedEntity(Value):
    """One entity's probability, and whether it reaches the threshold."""

    id: Key
    probability: float
    label: bool


class NumberedEntity(Value):
    """One entity's expected number."""

    id: Key
    prediction: float


class PredictResponse(Value):
    """Predictions in the order of the ids, by one version from features of one instant.

    Probabilities and labels, or numbers: which, is the version's, and its metadata name it.
    """

    model: str
    version: int
    features_as_of: datetime
    predictions: list[PredictedEntity] | list[NumberedEntity]

    @classmethod
    def of(cls, release: Release, predictions: Sequence[Prediction]) -> PredictResponse:
        """The answer of at least one prediction, all of them of `release` and one instant."""
        return cls(
            model=release.name,
            version=release.version,
            features_as_of=predictions[0].features_as_of,
            predictions=_told(predictions),
        )


def _told(predictions: Sequence[Prediction]) -> list[PredictedEntity] | list[NumberedEntity]:
    if predictions[0].label is None:
        return [NumberedEntity(id=one.id, prediction=one.score) for one in predictions]
    return [PredictedEntity(id=one.id, probability=one.score, label=bool(one.label)) for one in predictions]
