"""The newest row that may be seen at an instant, for many keys and instants at once, without a join.

Rows are sorted by key, event timestamp t and created timestamp, so a newer row of a key stands below an older
one, and a row may be seen from v on. Where v ascends within each key, the newest visible row is the last one
with v <= T, and a binary search of all questions in step finds it. Where it does not (late rows), a row that
became visible no sooner than a newer one of its key was never the newest: without these v ascends strictly.
Only keys of which a row can go again (`corrections.py`) are walked row by row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlops_core.adapters.feature_store.newest.corrections import ALWAYS, newest_by_step
from mlops_core.adapters.feature_store.newest.keys import changes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]

__all__ = ["Rows", "Steps"]


@dataclass(frozen=True)
class Rows:
    """Rows of events: the number of each one's key, its t and created timestamp, and its place in the file.

    Instants are microseconds since 1970. `created` is None without created timestamps; `until` is when each
    row was replaced, None where rows have no event id.
    """

    keys: Numbers
    happened: Numbers
    created: Numbers | None
    until: Numbers | None
    places: Numbers

    def where(self, mask: NDArray[np.bool_]) -> Rows:
        """Those rows where `mask` is true."""
        return self if mask.all() else self._take(np.flatnonzero(mask))

    def sorted(self) -> Rows:
        """The rows by key, event timestamp and created timestamp."""
        ascending = (self.keys, self.happened) + (() if self.created is None else (self.created,))
        return self if _is_sorted(ascending) else self._take(np.lexsort(ascending[::-1]))

    def _take(self, rows: Numbers) -> Rows:
        created = None if self.created is None else self.created[rows]
        until = None if self.until is None else self.until[rows]
        return Rows(self.keys[rows], self.happened[rows], created, until, self.places[rows])


class Steps:
    """From when on which row is the newest visible one of its key, for one key after the other.

    `keys` are the different keys in order; a question names one by its place in them. `begin` is when the
    first row of each may be seen, and `newest_happened` the event timestamp of its newest row.
    """

    def __init__(self, rows: Rows, visible: Numbers) -> None:
        """Of sorted rows, each visible from `visible` on."""
        keys, self._since, self._rows = _steps(rows, visible)
        self._starts = np.flatnonzero(changes(keys))
        self._last = np.append(self._starts[1:], len(keys))[: len(self._starts)] - 1
        self.keys = keys[self._starts]
        self.begin = self._since[self._starts]
        self.newest_happened = rows.happened[np.searchsorted(rows.keys, self.keys, side="right") - 1]

    def newest(self, keys: Numbers, moments: Numbers) -> Numbers:
        """The newest row of each key at its moment, -1 where all have gone again; its steps have begun."""
        found, last = self._starts[keys], self._last[keys]
        step = 1 << int((last - found).max(initial=0)).bit_length()
        while step := step >> 1:
            further = np.minimum(found + step, last)
            found = np.where(self._since[further] <= moments, further, found)
        return self._rows[found]


def _steps(rows: Rows, visible: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Keys, instants and rows of all steps, ascending by key and instant."""
    every = np.arange(len(visible))
    if rows.until is not None and rows.until.min(initial=ALWAYS) < ALWAYS:
        return _corrected_steps(rows, visible, rows.until)
    if np.all((visible[1:] >= visible[:-1]) | changes(rows.keys)[1:]):
        return rows.keys, visible, every
    ever = every[visible < _soonest_below(rows.keys, visible)]
    return rows.keys[ever], visible[ever], ever


def _corrected_steps(rows: Rows, visible: Numbers, until: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """The same where rows go again."""
    starts = np.flatnonzero(changes(rows.keys))
    ends = np.append(starts[1:], len(visible))
    walked = np.minimum.reduceat(until, starts) < ALWAYS
    rest = np.flatnonzero(np.repeat(~walked, ends - starts))
    others = Rows(rows.keys[rest], rows.happened[rest], None, None, rest)
    keys, since, found = _steps(others, visible[rest])
    steps = [
        (rows.keys[start], moment, start + row if row >= 0 else -1)
        for start, end in zip(starts[walked], ends[walked], strict=True)
        for moment, row in newest_by_step(visible[start:end], until[start:end])
    ]
    more = np.array(steps, np.int64).reshape(-1, 3).T
    both = [np.concatenate(pair) for pair in zip((keys, since, rest[found]), more, strict=True)]
    order = np.argsort(both[0], kind="stable")
    return both[0][order], both[1][order], both[2][order]


def _is_sorted(columns: tuple[Numbers, ...]) -> bool:
    """Whether rows ascend by the columns in turn; equal ones may follow each other."""
    fine = np.ones(max(len(columns[0]) - 1, 0), np.bool_)
    for column in reversed(columns):
        before, after = column[:-1], column[1:]
        fine = (before < after) | ((before == after) & fine)
    return bool(fine.all())


def _soonest_below(keys: Numbers, visible: Numbers) -> Numbers:
    """For each row the least v among the rows of its key below it, the greatest number where there is none.

    Found by doubling: after step s a row knows the least of the 2 ** s rows below it.
    """
    least = np.full(len(visible), ALWAYS)
    least[:-1] = np.where(keys[1:] == keys[:-1], visible[1:], ALWAYS)
    reach, longest = 1, int(np.diff(np.flatnonzero(changes(keys)), append=len(keys)).max(initial=1))
    while reach < longest:
        below = np.where(keys[reach:] == keys[:-reach], least[reach:], ALWAYS)
        np.minimum(least[:-reach], below, out=least[:-reach])
        reach *= 2
    return least
