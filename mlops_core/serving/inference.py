"""Bodies of the Open Inference Protocol v2 (KServe "Predict Protocol - Version 2", REST), as far as it fits.

One input tensor a feature, of shape [n] or [n, 1]; two output tensors, `probability` and `label`, or one of a
model of a number, `prediction`. Beyond the protocol, `null` in an input's data is a missing value, because
JSON has no NaN. There are no binary tensors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from mlops_core.domain.metrics import task_of
from mlops_core.domain.outputs import OUTPUTS, OutputName, OutputType
from mlops_core.domain.value import Value
from mlops_core.errors import BadInput

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
    "check_outputs",
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
    """An output that the caller wants; all of them when none is named. Metadata say which ones there are."""

    name: OutputName
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
    """One answer a row: the probability, whether it reaches the threshold, or the expected number."""

    name: OutputName
    shape: list[int]
    datatype: OutputType
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
        scores: NDArray[np.float64],
        labels: NDArray[np.bool_] | None,
    ) -> InferenceResponse:
        """The outputs that were asked for, in the order asked; both arrays have shape (n,).

        `labels` is None for a model of a number; `check_outputs` says whether it has what was asked for.
        """
        shape = [len(scores)]
        if labels is None:
            made = [OutputTensor(name="prediction", shape=shape, datatype="FP64", data=scores.tolist())]
        else:
            made = [
                OutputTensor(name="probability", shape=shape, datatype="FP64", data=scores.tolist()),
                OutputTensor(name="label", shape=shape, datatype="BOOL", data=labels.tolist()),
            ]
        by_name = {tensor.name: tensor for tensor in made}
        asked = [by_name[output.name] for output in request.outputs or ()]
        return cls(
            model_name=release.name,
            model_version=str(release.version),
            id=request.id,
            outputs=asked or made,
        )


def check_outputs(request: InferenceRequest, release: Release) -> None:
    """Raise `BadInput` for an output that models of this kind do not have."""
    task = task_of(release.threshold)
    for position, output in enumerate(request.outputs or ()):
        if output.name not in OUTPUTS[task]:
            what = "a number" if task == "regression" else "a probability"
            raise BadInput(
                f"outputs[{position}]: version {release.version} of {release.name!r} predicts {what}, so it "
                f"has no output {output.name!r}; it has {' and '.join(map(repr, OUTPUTS[task]))}"
            )
