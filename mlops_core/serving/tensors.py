"""From the input tensors of a request to one matrix, exactly as their datatypes say.

An INT64 that FP64 cannot hold is refused, not rounded; an FP32 is the single-precision number that its text
names. Messages name tensors by their position and features by their name; they never hold a value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from mlops_core.errors import BadInput
from mlops_core.serving.inference import MAX_ROWS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
    columns = [_column(tensors[name], rows) for name in feature_names]
    try:
        matrix = np.array(columns, dtype=np.float64).T  # None becomes NaN
    except OverflowError:
        raise _too_large(tensors, feature_names) from None
    for index, name in enumerate(feature_names):
        if tensors[name].datatype == "FP32":
            matrix[:, index] = _as_single(name, matrix[:, index])
    return np.ascontiguousarray(matrix)


def _by_name(inputs: Sequence[InputTensor], feature_names: Sequence[str]) -> dict[str, InputTensor]:
    tensors = {tensor.name: tensor for tensor in inputs}
    if len(tensors) != len(inputs) or tensors.keys() != set(feature_names):
        raise _unfit(inputs, feature_names)
    return tensors


def _unfit(inputs: Sequence[InputTensor], feature_names: Sequence[str]) -> BadInput:
    """Which tensor is too many, or is missing."""
    seen = set()
    for position, tensor in enumerate(inputs):
        if tensor.name not in feature_names:
            return BadInput(f"inputs[{position}] is not a feature; expected are {', '.join(feature_names)}")
        if tensor.name in seen:
            return BadInput(f"inputs[{position}]: {tensor.name} is given twice")
        seen.add(tensor.name)
    missing = [name for name in feature_names if name not in seen]
    return BadInput(f"inputs lack {', '.join(missing)}; a missing value is a null in a tensor's data")


def _column(tensor: InputTensor, rows: int) -> Sequence[float | None]:
    name, shape, data = tensor.name, tensor.shape, tensor.data
    if shape not in ([rows], [rows, 1]):
        raise BadInput(f"{name} must have shape [{rows}] or [{rows}, 1] like the others")
    if len(data) != rows:
        raise BadInput(f"{name} has {len(data):,} values, its shape says {rows:,}")
    values: Sequence[float | None]
    if isinstance(data[0], list):  # all are, or none is
        if len(shape) == 1:
            raise BadInput(f"{name} has nested data, its shape is flat")
        values = [value[0] for value in cast("list[list[float | None]]", data)]
    else:
        values = cast("list[float | None]", data)
    if tensor.datatype in _INTEGER_LIMIT:
        _check_integers(name, tensor.datatype, values)
    return values


def _too_large(tensors: Mapping[str, InputTensor], feature_names: Sequence[str]) -> BadInput:
    """Which tensor holds an integer beyond all doubles."""
    for name in feature_names:
        try:
            np.array(tensors[name].data, dtype=np.float64)
        except OverflowError:
            return BadInput(f"{name} holds a number that is too large for {tensors[name].datatype}")
    raise AssertionError("no tensor holds too large a number")


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
