"""Latest values, from canonical events one row group at a time.

Canonical events are sorted when they are written, so nothing is sorted when they are read: of each row group
the keys and timestamps are read, the newest visible row of each question is searched (`search.py`), and only
where there is one, the features are read and taken from it. The last row group is looked at first, so that
most questions are answered by the first row found; what an earlier one has counts where its row is newer,
which it can be when events are sorted by other keys than are asked for. So memory holds one row group beside
the answer, and a row group that no question needs is not read.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mlops_core.adapters.feature_store.newest.keys import NumberedKeys
from mlops_core.adapters.feature_store.newest.row_groups import RowGroups
from mlops_core.adapters.feature_store.newest.search import Steps
from mlops_core.domain.features import Latest

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from numpy.typing import NDArray

    from mlops_core.adapters.feature_store.columns import FeatureGroup
    from mlops_core.adapters.feature_store.instants import Column
    from mlops_core.adapters.feature_store.newest.search import Rows
    from mlops_core.adapters.feature_store.spine import Spine

    Numbers = NDArray[np.int64]

__all__ = ["latest_values"]

_NEVER = np.iinfo(np.int64).min
_LONGEST = 2**62  # microseconds; added to any instant it is still an int64


def latest_values(
    group: FeatureGroup, path: Path, asked: Spine, *, as_known_at: datetime | None
) -> dict[str, pa.Array]:
    """Values of the features of `group`, which are latest values, by name and in the order of the spine.

    int64 for columns of integers and booleans, else float64. Raises `NotFound` without the file,
    `IntegrityError` when a part that is read is damaged, and `DataError` when it was ingested for other
    definitions or keys are of another type than the spine's.
    """
    features = [feature for feature in group.features if isinstance(feature, Latest)]
    names = [feature.column for feature in features]
    with RowGroups.opened(path, group, names, as_known_at) as events:
        questions = _Questions(group, asked, events)
        found = {name: _Values(events.type_of(name), asked.table.num_rows) for name in names}
        for number in reversed(events.needed(questions.keys, questions.until)):
            spine_rows, places = questions.answered_by(events.rows(number, questions.keys))
            if len(spine_rows):
                for name, column in events.columns(number, names).items():
                    found[name].put(spine_rows, column, places)
    lost = questions.unanswered()
    return {feature.name: found[feature.column].array(lost) for feature in features}


class _Questions:
    """The spine's rows by key, and how new the row is that each was answered by so far."""

    def __init__(self, group: FeatureGroup, asked: Spine, events: RowGroups) -> None:
        self._group = group
        self._delay = _ticks(group.source.delay)
        source = group.source.name
        self.keys = NumberedKeys(
            asked.key_like(mine, events.type_of(theirs), source) for mine, theirs in group.keys
        )
        numbers = self.keys.numbers
        order = np.argsort(numbers)
        self._rows = order[int((numbers < 0).sum()) :]
        self._starts = np.searchsorted(numbers[self._rows], np.arange(self.keys.count + 1))
        self._moments = np.asarray(asked.moments, dtype=np.int64)[self._rows]
        self._happened = np.full(len(self._rows), _NEVER)
        self._created = np.full(len(self._rows), _NEVER)

    @property
    def until(self) -> int:
        """What happened later is of no use to any question."""
        return int(self._moments.max(initial=_NEVER + _LONGEST)) - self._delay

    def answered_by(self, rows: Rows) -> tuple[Numbers, Numbers]:
        """Rows of the spine that have a newer answer in `rows` than before, and that answer's place."""
        rows = rows.sorted()
        steps = Steps(rows, self._visible(rows))
        mine, key = self._about(steps.keys)
        hopeful = steps.begin[key] <= self._moments[mine]
        hopeful &= steps.newest_happened[key] >= self._happened[mine]
        mine, key = mine[hopeful], key[hopeful]
        newest = steps.newest(key, self._moments[mine])
        newer = (newest >= 0) & (rows.happened[newest] >= self._happened[mine])
        if rows.created is not None:
            older = rows.created[newest] <= self._created[mine]
            newer &= (rows.happened[newest] > self._happened[mine]) | ~older
        mine, newest = mine[newer], newest[newer]
        self._happened[mine] = rows.happened[newest]
        if rows.created is not None:
            self._created[mine] = rows.created[newest]
        return self._rows[mine], rows.places[newest]

    def unanswered(self) -> NDArray[np.bool_]:
        """Which rows of the spine have no value: there is no row for them, or it is older than the ttl."""
        fine = self._happened > _NEVER
        if self._group.ttl is not None:
            soon_enough = self._moments - _ticks(self._group.ttl)
            fine &= self._happened >= soon_enough
        lost = np.ones(len(self.keys.numbers), np.bool_)
        lost[self._rows[fine]] = False
        return lost

    def _visible(self, rows: Rows) -> Numbers:
        visible = rows.happened + self._delay
        if self._group.recorded and rows.created is not None:
            return np.maximum(visible, rows.created)
        return visible

    def _about(self, keys: Numbers) -> tuple[Numbers, Numbers]:
        """The questions about these keys, and for each the place of its key in `keys`."""
        counts = self._starts[keys + 1] - self._starts[keys]
        first = np.cumsum(counts) - counts
        mine = np.arange(counts.sum()) + np.repeat(self._starts[keys] - first, counts)
        return mine, np.repeat(np.arange(len(keys)), counts)


class _Values:
    """The values of one column for the rows of the spine, filled in as they are found."""

    def __init__(self, kind: pa.DataType, length: int) -> None:
        whole = pa.types.is_integer(kind) or pa.types.is_boolean(kind)
        self._type = pa.int64() if whole else pa.float64()
        self._values = np.zeros(length, np.int64 if whole else np.float64)
        self._null: NDArray[np.bool_] | None = None  # made at the first null: most columns have none

    def put(self, rows: Numbers, column: Column, places: Numbers) -> None:
        """Let `rows` have the values at `places` of `column`, nulls included."""
        taken = column.take(pa.array(places))
        if pa.types.is_decimal(taken.type):
            taken = taken.cast(pa.string())  # Arrow's own way to floats is off by a bit, for 0.47
        taken = taken.cast(self._type)
        if taken.null_count and self._null is None:
            self._null = np.zeros(len(self._values), np.bool_)
        if self._null is not None:
            self._null[rows] = np.asarray(pc.is_null(taken))
        self._values[rows] = np.asarray(pc.fill_null(taken, 0) if taken.null_count else taken)

    def array(self, lost: NDArray[np.bool_]) -> pa.Array:
        """All values; null where they are lost or were null."""
        return pa.array(self._values, self._type, mask=lost if self._null is None else lost | self._null)


def _ticks(span: timedelta) -> int:
    """Microseconds; longer than all of time is as good as that."""
    return min(span // timedelta(microseconds=1), _LONGEST)
