"""What is wrong with a source's rows, gathered so that one error can say all of it."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from mlops_core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Violations"]

_SHOWN = 5


class Violations:
    """Collects broken rules of one source; a message has row numbers and counts, never a value.

    Row numbers count data rows from 1, a CSV header and blank lines not being rows. `files` are the (name,
    number of rows) of several files, whose rows are each counted from 1 and named with the file.
    """

    def __init__(self, source: str, rows: int, files: Sequence[tuple[str, int]] = ()) -> None:
        self._source = source
        self._rows = rows
        self._files = [name for name, _ in files]
        self._starts = np.cumsum([0, *(count for _, count in files[:-1])])
        self._columns: list[str] = []
        self._rules: list[tuple[str, NDArray[np.bool_]]] = []
        self.broken = np.zeros(rows, dtype=np.bool_)

    def of_column(self, sentence: str) -> None:
        """A column that is wrong as a whole, such as "usd must be a number, found string"."""
        self._columns.append(sentence)

    def of_rows(self, column: str, rule: str, broken: NDArray[np.bool_]) -> None:
        """A rule that some rows break, such as "is null"; nothing happens when none do."""
        if broken.any():
            self.broken |= broken
            self._rules.append((f"{column} {rule}", broken))

    def raise_if_any(self) -> None:
        """Raise one `DataError` with every broken rule."""
        parts = list(self._columns)
        if self._rules:
            broken = f"{int(np.count_nonzero(self.broken)):,} of {self._rows:,} rows break its contract"
            rules = [f"{rule} in {self._where(mask)}" for rule, mask in self._rules]
            parts.append(f"{broken}: {'; '.join(rules)}")
        if parts:
            what = "Mend or remove these rows" if self._rules else "Mend the file or the definitions"
            raise DataError(
                f"{self._source}: {'; '.join(parts)}. {what}, then run again. Nothing was stored."
            )

    def raise_unless_rows_remain(self) -> None:
        """Raise that error where setting the broken rows aside would not help."""
        if self._columns or self.broken.all():
            self.raise_if_any()

    def places(self, rows: NDArray[np.int64]) -> tuple[pa.Array, pa.Array | None]:
        """Numbers (from 1) of rows counted from 0, and the names of their files where there are several."""
        if not self._files:
            return pa.array(rows + 1), None
        file = np.searchsorted(self._starts, rows, side="right") - 1
        return pa.array(rows - self._starts[file] + 1), pa.array(self._files, pa.string()).take(
            pa.array(file)
        )

    def rules_of(self, rows: NDArray[np.int64]) -> pa.Array:
        """The rules that each of these rows breaks, as a list of strings per row."""
        masks = np.column_stack([mask[rows] for _, mask in self._rules])
        offsets = np.concatenate([[0], np.cumsum(masks.sum(axis=1))])
        names = pa.array([rule for rule, _ in self._rules], pa.string())
        return pa.ListArray.from_arrays(
            pa.array(offsets, pa.int32()), names.take(pa.array(masks.nonzero()[1]))
        )

    def _where(self, broken: NDArray[np.bool_]) -> str:
        count = int(np.count_nonzero(broken))
        first = self._named(np.flatnonzero(broken)[:_SHOWN])
        if count > _SHOWN:
            return f"{count:,} rows ({first}, …)"
        return first if self._files else f"row{'s' if count > 1 else ''} {first}"

    def _named(self, rows: NDArray[np.int64]) -> str:
        numbers, files = self.places(rows)
        if files is None:
            return ", ".join(f"{row:,}" for row in numbers.to_pylist())
        by_file = groupby(zip(files.to_pylist(), numbers.to_pylist(), strict=True), key=lambda one: one[0])
        parts = {file: [f"{row:,}" for _, row in found] for file, found in by_file}
        return ", ".join(
            f"{file} row{'s' if len(one) > 1 else ''} {', '.join(one)}" for file, one in parts.items()
        )
