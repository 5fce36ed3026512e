"""Rows that break rules, set aside in a file of their own, with what each of them breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlops_core.adapters.feature_store.canonical import write_events
from mlops_core.adapters.feature_store.ingest.ordering import taken
from mlops_core.errors import MlopsError

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from mlops_core.adapters.feature_store.ingest.reading import SourceRows
    from mlops_core.adapters.feature_store.ingest.violations import Violations

__all__ = ["set_aside"]


def set_aside(rows: SourceRows, violations: Violations, into: Path) -> int:
    """Write the rows that break rules to `into`, and say how many; no file is left there when none do.

    They have the columns that were read, as they came, and `row` (from 1), `file` where there are several,
    and `broken_rules`, a list. A column of such a name moves ours to the name with an underscore before it.
    """
    broken = np.flatnonzero(violations.broken)
    if not len(broken):
        try:
            into.unlink(missing_ok=True)
        except OSError as error:
            raise MlopsError(
                f"cannot remove the quarantine {into} of an earlier delivery: {error.strerror or error}. "
                "Remove it, then run again. Nothing was stored."
            ) from error
        return 0
    table = taken(rows.table, broken)
    numbers, files = violations.places(broken)
    said = {"row": numbers, "file": files, "broken_rules": violations.rules_of(broken)}
    for name, column in said.items():
        if column is not None:
            table = table.append_column(_free(name, table), column)
    write_events(table, into)
    return len(broken)


def _free(name: str, table: pa.Table) -> str:
    while name in table.column_names:
        name = f"_{name}"
    return name
