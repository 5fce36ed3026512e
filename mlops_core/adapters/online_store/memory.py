"""The online store in a dictionary: gone with the process, and the reference for the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_core.adapters.online_store.rows import OnlineRows
from mlops_core.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import pyarrow as pa

    from mlops_core.domain.online import FeatureValue, Key, OnlineState

__all__ = ["MemoryOnlineStore"]

_Values = dict["tuple[type, Key]", dict[str, "FeatureValue"]]


class MemoryOnlineStore:
    """`mlops_core.ports.OnlineStore` in memory. One assignment replaces all, so no reader sees half."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[OnlineState, _Values]] = {}

    def write(self, name: str, table: pa.Table, key: str, as_of: datetime) -> OnlineState:
        """See `OnlineStore.write`."""
        rows = OnlineRows.of(table, key)
        state = rows.state(as_of)
        self._kept[name] = (
            state,
            {(type(one), one): dict(zip(rows.names, row, strict=True)) for one, row in rows},
        )
        return state

    def read(self, name: str, keys: Sequence[Key]) -> list[Mapping[str, FeatureValue] | None]:
        """See `OnlineStore.read`."""
        if name not in self._kept:
            raise NotFound(f"no online values of {name!r} were ever written. Materialise them first.")
        values = self._kept[name][1]
        return [values.get((type(key), key)) for key in keys]

    def state(self, name: str) -> OnlineState | None:
        """See `OnlineStore.state`."""
        return self._kept[name][0] if name in self._kept else None
