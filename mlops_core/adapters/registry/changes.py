"""The writes by which a registry comes to show what it should; each has the sentence that it makes untrue."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["AliasMoved", "AnyChange", "Discarded", "Finished", "LedgerNamed", "Tagged"]


@dataclass(frozen=True, kw_only=True)
class Tagged:
    """Tag of version `number`; removed when `value` is None."""

    number: int
    tag: str
    value: str | None
    sentence: str


@dataclass(frozen=True, kw_only=True)
class AliasMoved:
    """An alias points at version `number`; removed when that is None."""

    alias: str
    number: int | None
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Finished:
    """The run of version `number` has ended: the version exists."""

    number: int
    run_id: str
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Discarded:
    """Version `number` and what was logged for it go: another has its digest."""

    number: int
    run_id: str
    sentence: str


@dataclass(frozen=True, kw_only=True)
class LedgerNamed:
    """The registry follows the ledger with this origin."""

    origin: str
    sentence: str


AnyChange = Tagged | AliasMoved | Finished | Discarded | LedgerNamed
