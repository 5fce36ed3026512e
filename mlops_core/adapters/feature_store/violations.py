"""What is wrong with a source's rows, gathered so that one error can say all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlops_core.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Violations"]

_SHOWN = 5


class Violations:
    """Collects broken rules of one source; a message has row numbers and counts, never a value.

    Row numbers count data rows from 1, a CSV header and blank lines not being rows.
    """

    def __init__(self, source: str, rows: int) -> None:
        self._source = source
        self._rows = rows
        self._broken = np.zeros(rows, dtype=np.bool_)
        self._columns: list[str] = []
        self._rules: list[str] = []

    def of_column(self, sentence: str) -> None:
        """A column that is wrong as a whole, such as "usd must be a number, found string"."""
        self._columns.append(sentence)

    def of_rows(self, column: str, rule: str, broken: NDArray[np.bool_]) -> None:
        """A rule that some rows break, such as "is null"; nothing happens when none do."""
        count = int(np.count_nonzero(broken))
        if not count:
            return
        self._broken |= broken
        first = ", ".join(f"{row + 1:,}" for row in np.flatnonzero(broken)[:_SHOWN])
        if count > _SHOWN:
            where = f"{count:,} rows ({first}, …)"
        else:
            where = f"row {first}" if count == 1 else f"rows {first}"
        self._rules.append(f"{column} {rule} in {where}")

    def raise_if_any(self) -> None:
        """Raise one `DataError` with every broken rule."""
        parts = list(self._columns)
        if self._rules:
            broken = f"{int(np.count_nonzero(self._broken)):,} of {self._rows:,} rows break its contract"
            parts.append(f"{broken}: {'; '.join(self._rules)}")
        if parts:
            what = "Mend or remove these rows" if self._rules else "Mend the file or the definitions"
            raise DataError(
                f"{self._source}: {'; '.join(parts)}. {what}, then run again. Nothing was stored."
            )
