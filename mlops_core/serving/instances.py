"""Bodies as Vertex AI's `predict` sends them: a list of instances, not a tensor a feature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Discriminator, Field, RootModel, Tag

from mlops_core.domain.value import Value
from mlops_core.errors import BadInput
from mlops_core.serving.inference import MAX_ROWS, Body, InferenceRequest, Name, Number, Parameters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = [
    "CloudRequest",
    "InstancesRequest",
    "InstancesResponse",
    "NumberedInstance",
    "PredictedInstance",
    "instances_matrix",
]

Features = Annotated[dict[Name, Number], Field(description="one value a feature, by its name")]
Row = Annotated[list[Number], Field(description="one value a feature, in the order of the model's inputs")]


class InstancesRequest(Body):
    """Rows to predict, one by one."""

    instances: Annotated[list[Features | Row], Field(min_length=1, max_length=MAX_ROWS, fail_fast=True)]
    parameters: Parameters | None = None


def _kind(body: object) -> str | None:
    """Which of the two bodies it is; one with neither key is told that it lacks `instances`."""
    if not isinstance(body, dict):
        return None
    return "tensors" if "inputs" in body else "rows"


class CloudRequest(
    RootModel[
        Annotated[
            Annotated[InferenceRequest, Tag("tensors")] | Annotated[InstancesRequest, Tag("rows")],
            Discriminator(_kind),
        ]
    ]
):
    """Either body: platforms that pass on whatever callers send have one address for all of it."""

    def strings(self) -> int:
        """See `InferenceRequest.strings`; instances are not looked into."""
        return self.root.strings() if isinstance(self.root, InferenceRequest) else -1


class PredictedInstance(Value):
    """The probability of one row, and whether it reaches the threshold."""

    probability: float
    label: bool


class NumberedInstance(Value):
    """The expected number of one row."""

    prediction: float


class InstancesResponse(Value):
    """Predictions in the order of the instances."""

    predictions: list[PredictedInstance] | list[NumberedInstance]

    @classmethod
    def of(cls, scores: NDArray[np.float64], labels: NDArray[np.bool_] | None) -> InstancesResponse:
        """Both arrays have shape (n,); `labels` is None for a model of a number."""
        if labels is None:
            return cls(predictions=[NumberedInstance(prediction=one) for one in scores.tolist()])
        pairs = zip(scores.tolist(), labels.tolist(), strict=True)
        return cls(predictions=[PredictedInstance(probability=one, label=label) for one, label in pairs])


def instances_matrix(request: InstancesRequest, feature_names: Sequence[str]) -> NDArray[np.float64]:
    """The rows of the request, (n, features) in the release's order, NaN where missing.

    Raises `BadInput` unless each instance has a value for each feature, be it null.
    """
    rows = [_row(position, one, feature_names) for position, one in enumerate(request.instances)]
    try:
        return np.array(rows, dtype=np.float64)  # None becomes NaN
    except OverflowError:
        raise BadInput("instances hold a number that is too large for FP64") from None


def _row(
    position: int, instance: dict[str, float | None] | list[float | None], names: Sequence[str]
) -> list[float | None]:
    if isinstance(instance, list):
        if len(instance) != len(names):
            expected = f"{len(names)}: {', '.join(names)}"
            raise BadInput(f"instances[{position}] has {len(instance)} values, expected are {expected}")
        return instance
    missing = [name for name in names if name not in instance]
    if missing:
        raise BadInput(f"instances[{position}] lacks {', '.join(missing)}; a missing value is null")
    if len(instance) > len(names):
        raise BadInput(
            f"instances[{position}] has a field that is no feature; expected are {', '.join(names)}"
        )
    return [instance[name] for name in names]
