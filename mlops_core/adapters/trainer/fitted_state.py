"""A fitted estimator as a plain value, so that equal fits have equal digests.

Saved bytes cannot serve: skops names parts by memory address. So the object is walked, parameters and
fitted attributes by name: numbers, texts, arrays (type, shape, bytes), records field by field, because there
is padding between fields, and whatever holds such. Random generators, loss functions and the like count by
their class alone: they say how the state came about, and it is the state that predicts.
"""

from __future__ import annotations

from types import BuiltinFunctionType, FunctionType
from typing import Any

import numpy as np

from mlops_core.domain.digest import digest_bytes, digest_of

__all__ = ["state_digest"]

# How many threads and how much talk: no part of what was learnt.
_IGNORED = frozenset({"n_jobs", "n_threads", "verbose"})


def state_digest(fitted: Any) -> str:
    """Digest of all parameters and fitted attributes of an estimator, recursively, in order of name."""
    return digest_of(_plain(fitted))


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value.hex()  # exact, and it can say NaN
    if isinstance(value, np.generic) and value.dtype.names is None:
        return _plain(value.item())
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return _object(value)


def _array(array: np.ndarray[Any, Any]) -> Any:
    if array.dtype.names is not None:
        return {name: _array(array[name]) for name in array.dtype.names}
    if array.dtype.hasobject:
        return [_plain(item) for item in array.tolist()]
    little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    return [little.dtype.str, list(array.shape), digest_bytes(little.tobytes())]


def _object(value: Any) -> Any:
    if isinstance(value, type | FunctionType | BuiltinFunctionType | np.ufunc):
        return _named(value)
    kind = type(value)
    if kind.__module__.partition(".")[0] != "sklearn":
        return [_named(kind)]
    state = getattr(value, "__dict__", {})
    return [_named(kind), {key: _plain(item) for key, item in state.items() if key not in _IGNORED}]


def _named(value: Any) -> str:
    return f"{getattr(value, '__module__', None) or 'numpy'}.{value.__name__}"
