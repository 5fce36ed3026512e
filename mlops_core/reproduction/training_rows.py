"""The rows that a version was trained on, where they still lie, and how others differ from them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from mlops_core.domain.digest import digest_table
from mlops_core.reproduction.reproduction import ChangedRows
from mlops_core.stages.training_set import STAGE

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from mlops_core.workspace import Workspace

__all__ = ["changed_rows", "stored_rows"]


def stored_rows(workspace: Workspace, digest: str) -> pa.Table | None:
    """The training set of that digest as a run left it; None when it is not there, or was changed."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    for file in sorted((workspace.home / "stages" / STAGE).glob("*/receipt.json")):
        try:
            ref = json.loads(file.read_bytes())["receipt"]["ref"]
            if ref["digest"] == digest:
                table = pq.read_table(workspace.path(ref["uri"]))
                if digest_table(table) == digest:
                    return table
        except (OSError, ValueError, KeyError, TypeError, pa.ArrowException):
            continue  # damaged, or of another version of this software: no help here
    return None


def changed_rows(then: pa.Table, now: pa.Table, keys: Sequence[str]) -> ChangedRows:
    """How two training sets differ; `keys` are the entity's, which both have, beside the instant."""
    import pyarrow as pa
    import pyarrow.compute as pc

    by = [*keys, "event_timestamp"]
    numbered = [
        table.select(by).append_column(name, pa.array(range(table.num_rows), pa.int64()))
        for name, table in (("then", then), ("now", now))
    ]
    both = numbered[0].join(numbered[1], by, join_type="inner")
    before, after = then.take(both["then"]), now.take(both["now"])
    shared = [name for name in then.column_names if name in now.column_names and name not in by]
    unequal = {name: _unequal(before[name], after[name]) for name in shared}
    changed = pa.chunked_array([pa.repeat(False, both.num_rows)])
    for column in unequal.values():
        changed = pc.or_(changed, column)
    counts = {name: int(pc.sum(column).as_py() or 0) for name, column in unequal.items()}
    return ChangedRows(
        then=then.num_rows,
        now=now.num_rows,
        gone=then.num_rows - both.num_rows,
        new=now.num_rows - both.num_rows,
        changed=int(pc.sum(changed).as_py() or 0),
        columns={name: count for name, count in counts.items() if count},
        gone_columns=tuple(name for name in then.column_names if name not in now.column_names),
        new_columns=tuple(name for name in now.column_names if name not in then.column_names),
    )


def _unequal(then: pa.ChunkedArray, now: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whether two values differ, position by position; missing (or not a number) equals missing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if then.type != now.type:
        return pa.chunked_array([pa.repeat(True, len(then))])
    there = [pc.invert(pc.is_null(column, nan_is_null=True)) for column in (then, now)]
    differ = pc.fill_null(pc.not_equal(then, now), False)
    return pc.or_(pc.xor(*there), pc.and_(differ, pc.and_(*there)))
