"""One entity's feature values as bytes: a flag a feature (1 where null), then 8 bytes a feature.

Integers stay integers and floats keep every bit.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_core.domain.online import FeatureValue

__all__ = ["Packing"]


class Packing:
    """How rows of `names` are packed; `kinds` has a letter a feature: q for int64, d for float64."""

    def __init__(self, names: Sequence[str], kinds: str) -> None:
        self._names = names
        self._layout = struct.Struct(f"<{len(kinds)}?{kinds}")

    def pack(self, values: Sequence[FeatureValue]) -> bytes:
        """The bytes of one row."""
        return self._layout.pack(
            *(one is None for one in values), *(0 if one is None else one for one in values)
        )

    def unpack(self, packed: bytes) -> dict[str, FeatureValue]:
        """One row, by feature. Raises `struct.error` for bytes of another length."""
        parts = self._layout.unpack(packed)
        nulls, values = parts[: len(self._names)], parts[len(self._names) :]
        return {
            name: None if null else value
            for name, null, value in zip(self._names, nulls, values, strict=True)
        }
