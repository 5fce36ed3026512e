"""A ledger in memory: for tests and dry runs, gone with the process."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from mlops_core.domain.ledger import entries_after
from mlops_core.errors import Conflict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_core.domain.ledger import Draft, Entry

__all__ = ["MemoryLedger"]


class MemoryLedger:
    """The port `Ledger` over a dictionary; threads may share one."""

    def __init__(self) -> None:
        self._entries: dict[str, tuple[Entry, ...]] = {}
        self._lock = threading.Lock()

    def entries(self, name: str) -> tuple[Entry, ...]:
        """All entries in their order."""
        return self._entries.get(name, ())

    def append(self, name: str, drafts: Sequence[Draft], *, after: int) -> tuple[Entry, ...]:
        """See `Ledger.append`."""
        with self._lock:
            before = self._entries.get(name, ())
            if len(before) != after:
                raise Conflict(f"the ledger of {name!r} is at entry {len(before)}, not {after}: look again")
            added = entries_after(before[-1] if before else None, name, drafts)
            self._entries[name] = (*before, *added)
        return added

    def names(self) -> list[str]:
        """The models that have entries."""
        return sorted(self._entries)
