"""From the input tensors of a request to one matrix, exactly as their datatypes say.

An INT64 that FP64 cannot hold is refused, not rounded; an FP32 is the single-precision number that its text
names. Messages name tensors by their position and features by their name; they never hold a value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlops_core.errors import BadInput
from mlops_core.serving.inference import MAX_ROWS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mlops_core.serving.inference import InferenceRequest, InputTensor

__all__ = ["matrix_of"]

_INTEGER_LIMIT = {"INT32": 2**31, "INT64": 2**63}
_SINGLE_LIMIT = float(np.finfo(np.float32).max)
_EXACT = 2**53  # up to here every integer is a float64


def matrix_of(request: InferenceRequest, feature_names: Sequence[str]) -> NDArray[np.float64]:
    """The rows of the request, (n, features) in the release's order, NaN where missing.

    Raises `BadInput` unless there is one tensor for each feature, all with the same number of rows.
    """
    tensors = _by_name(request.inputs, feature_names)
    rows = tensors[feature_names[0]].shape[0]
    if not 1 <= rows <= MAX_ROWS:
        raise BadInput(f"a request has 1 to {MAX_ROWS:,} rows, not {rows:,}")
    matrix = np.empty((rows, len(feature_names)), dtype=np.float64)
    for index, name in enumerate(feature_names):
        matrix[:, index] = _column(tensors[name], rows)
    return matrix


def _by_name(inputs: Sequence[InputTensor], feature_names: Sequence[str]) -> dict[str, InputTensor]:
    tensors: dict[str, InputTensor] = {}
    for position, tensor in enumerate(inputs):
        if tensor.name not in feature_names:
            raise BadInput(f"inputs[{position}] is not a feature; expected are {', '.join(feature_names)}")
        if tensor.name in tensors:
            raise BadInput(f"inputs[{position}]: {tensor.name} is given twice")
        tensors[tensor.name] = tensor
    missing = [name for name in feature_names if name not in tensors]
    if missing:
        raise BadInput(f"inputs lack {', '.join(missing)}; a missing value is a null in a tensor's data")
    return tensors


def _column(tensor: InputTensor, rows: int) -> NDArray[np.float64]:
    name = tensor.name
    if tensor.shape not in ([rows], [rows, 1]):
        raise BadInput(f"{name} must have shape [{rows}] or [{rows}, 1] like the others")
    if len(tensor.data) != rows:
        raise BadInput(f"{name} has {len(tensor.data):,} values, its shape says {rows:,}")
    values = [value[0] if isinstance(value, list) else value for value in tensor.data]
    if isinstance(tensor.data[0], list) and len(tensor.shape) == 1:
        raise BadInput(f"{name} has nested data, its shape is flat")
    if tensor.datatype in _INTEGER_LIMIT:
        _check_integers(name, tensor.datatype, values)
    try:
        column = np.array(values, dtype=np.float64)  # None becomes NaN
    except OverflowError:
        raise BadInput(f"{name} holds a number that is too large for {tensor.datatype}") from None
    return _as_single(name, column) if tensor.datatype == "FP32" else column


def _check_integers(name: str, datatype: str, values: Sequence[float | None]) -> None:
    limit = _INTEGER_LIMIT[datatype]
    for position, value in enumerate(values):
        if value is None:
            continue
        if not isinstance(value, int) or not -limit <= value < limit:
            raise BadInput(f"{name}: the value at position {position} is no {datatype}")
        if abs(value) > _EXACT and int(float(value)) != value:
            raise BadInput(f"{name}: the value at position {position} has no exact FP64")


def _as_single(name: str, column: NDArray[np.float64]) -> NDArray[np.float64]:
    if np.any(np.abs(column) > _SINGLE_LIMIT):
        raise BadInput(f"{name} holds a number that is too large for FP32")
    return column.astype(np.float32).astype(np.float64)
