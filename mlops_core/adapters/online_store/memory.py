"""The online store in a dictionary: gone with the process, and the reference for the others."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from mlops_core.adapters.online_store.keys import stored_key
from mlops_core.adapters.online_store.rows import OnlineRows
from mlops_core.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import pyarrow as pa

    from mlops_core.adapters.online_store.keys import StoredKey
    from mlops_core.domain.online import FeatureValue, Key, OnlineState

__all__ = ["MemoryOnlineStore"]

_Values = dict["StoredKey | None", dict[str, "FeatureValue"]]


class MemoryOnlineStore:
    """`mlops_core.ports.OnlineStore` in memory. One assignment replaces all, so no reader sees half."""

    near = True  # a read waits for no network, see `Predictor.is_quick`

    def __init__(self) -> None:
        self._kept: dict[str, tuple[OnlineState, _Values]] = {}
        self._writing = Lock()

    def write(self, name: str, table: pa.Table, keys: Sequence[str], as_of: datetime) -> OnlineState:
        """See `OnlineStore.write`."""
        rows = OnlineRows.of(table, keys)
        state = rows.state(as_of)
        values: _Values = {key: dict(zip(rows.names, row, strict=True)) for key, row in rows.values()}
        with self._writing:
            held = self.state(name)
            if held is not None and held.as_of > state.as_of:
                return held
            self._kept[name] = (state, values)
        return state

    def read(self, name: str, keys: Sequence[Key]) -> list[Mapping[str, FeatureValue] | None]:
        """See `OnlineStore.read`."""
        held = self._kept.get(name)
        if held is None:
            raise NotFound(f"no online values of {name!r} were ever written. Materialise them first.")
        found = [held[1].get(stored_key(key)) for key in keys]
        return [None if one is None else dict(one) for one in found]

    def state(self, name: str) -> OnlineState | None:
        """See `OnlineStore.state`."""
        held = self._kept.get(name)
        return held and held[0]

    def names(self) -> list[str]:
        """See `OnlineStore.names`."""
        return sorted(self._kept)

    def drop(self, name: str) -> None:
        """See `OnlineStore.drop`."""
        with self._writing:
            self._kept.pop(name, None)
