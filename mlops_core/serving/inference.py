"""Bodies of the Open Inference Protocol v2 (KServe "Predict Protocol - Version 2", REST), as far as it fits.

One input tensor a feature, of shape [n] or [n, 1]; two output tensors, `probability` and `label`. Beyond the
protocol, `null` in an input's data is a missing value, because JSON has no NaN. There are no
binary tensors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from mlops_core.domain.value import Value

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mlops_core.domain.release import Release

__all__ = [
    "MAX_ROWS",
    "InferenceRequest",
    "InferenceResponse",
    "InputTensor",
    "OutputTensor",
    "RequestedOutput",
]

MAX_ROWS = 10_000

Name = Annotated[str, Field(max_length=256)]
Number = Annotated[int | float | None, Field(description="null where the value is missing")]
Flat = Annotated[list[Number], Field(fail_fast=True)]
Nested = Annotated[list[Annotated[list[Number], Field(min_length=1, max_length=1)]], Field(fail_fast=True)]
Parameters = Annotated[dict[Name, bool | int | float | str], Field(description="accepted, not used")]
Size = Annotated[int, Field(ge=0)]


class Body(BaseModel):
    """What a caller sends: exactly these fields, in exactly these JSON types."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, frozen=True)


class InputTensor(Body):
    """The values of one feature; `data` flat or nested like `shape`, in the order of the rows."""

    name: Name
    shape: Annotated[list[Size], Field(min_length=1, max_length=2)]
    datatype: Literal["FP64", "FP32", "INT64", "INT32"]
    parameters: Parameters | None = None
    data: Flat | Nested


class RequestedOutput(Body):
    """An output that the caller wants; all of them when none is named."""

    name: Literal["probability", "label"]
    parameters: Parameters | None = None


class InferenceRequest(Body):
    """Rows to predict, as columns."""

    id: Name | None = None
    parameters: Parameters | None = None
    inputs: Annotated[list[InputTensor], Field(min_length=1, max_length=2000)]
    outputs: Annotated[list[RequestedOutput], Field(max_length=2)] | None = None

    def strings(self) -> int:
        """How many strings its JSON has, names of fields included; -1 where that is not looked into."""
        parts = (*self.inputs, *(self.outputs or ()))
        if any(part.parameters is not None for part in (self, *parts)):
            return -1
        inside = sum(len(part.model_fields_set) for part in parts) + len(parts) + len(self.inputs)
        return inside + len(self.model_fields_set) + (self.id is not None)


class OutputTensor(Value):
    """One answer a row: the probability, or whether it reaches the threshold."""

    name: Literal["probability", "label"]
    shape: list[int]
    datatype: Literal["FP64", "BOOL"]
    data: list[float] | list[bool]


class InferenceResponse(Value):
    """The answer; `id` is the request's."""

    model_name: str
    model_version: str
    id: str | None = None
    outputs: list[OutputTensor]

    @classmethod
    def of(
        cls,
        request: InferenceRequest,
        release: Release,
        probabilities: NDArray[np.float64],
        labels: NDArray[np.bool_],
    ) -> InferenceResponse:
        """The outputs that were asked for, in the order asked; both arrays have shape (n,)."""
        rows = len(probabilities)
        made = (
            OutputTensor(name="probability", shape=[rows], datatype="FP64", data=probabilities.tolist()),
            OutputTensor(name="label", shape=[rows], datatype="BOOL", data=labels.tolist()),
        )
        by_name = {tensor.name: tensor for tensor in made}
        asked = [by_name[output.name] for output in request.outputs or ()]
        return cls(
            model_name=release.name,
            model_version=str(release.version),
            id=request.id,
            outputs=asked or list(made),
        )
