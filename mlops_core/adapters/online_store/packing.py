"""One entity's feature values as bytes: a flag a feature (1 where null), then 8 bytes a feature.

Integers stay integers and floats keep every bit. `OnlineRows.packed` writes them, a column at a time.
"""

from __future__ import annotations

import json
import struct
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_core.domain.online import FeatureValue

__all__ = ["Packing"]


class Packing:
    """How rows of `names` are packed; `kinds` has a letter a feature: q for int64, d for float64."""

    def __init__(self, names: Sequence[str], kinds: str) -> None:
        if len(names) != len(kinds) or set(kinds) - {"q", "d"}:
            raise ValueError(f"{len(names)} features cannot be of kinds {kinds!r}: one of q and d for each")
        self._names = tuple(names)
        self._flags = len(names)
        self._complete = bytes(len(names))
        self._values = struct.Struct(f"<{len(names)}x{kinds}")

    @staticmethod
    @lru_cache(maxsize=64)
    def of(names: str, kinds: str) -> Packing:
        """The packing of `names`, a JSON array; kept, since every read of a set asks for the same one.

        Raises `ValueError` and `TypeError` for what is no array of names, or kinds that do not fit it.
        """
        parsed = json.loads(names)
        if not isinstance(parsed, list) or not all(isinstance(name, str) for name in parsed):
            raise ValueError("the names of features are no JSON array of strings")
        return Packing(parsed, kinds)

    def unpack(self, packed: bytes) -> dict[str, FeatureValue]:
        """One row, by feature. Raises `struct.error` for bytes of another length."""
        values = self._values.unpack(packed)
        flags = packed[: self._flags]
        if flags == self._complete:
            return dict(zip(self._names, values, strict=True))
        return {
            name: None if null else value
            for name, null, value in zip(self._names, flags, values, strict=True)
        }
