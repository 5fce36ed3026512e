"""What is asked of a delivery as a whole: is it new, is it fresh, is it all there, what does it hold?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_core.domain.digest import digest_file, digest_of, digest_table, digest_tree
from mlops_core.domain.rules import Fresh, Volume
from mlops_core.domain.time import in_words
from mlops_core.errors import DataError
from mlops_core.provenance import libraries

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from mlops_core.domain.history import HistoryVersion
    from mlops_core.domain.sources import Data, EventSource

__all__ = ["Contents", "check_fresh", "check_volume", "digest_of_given"]


def digest_of_given(source: EventSource, data: Data | None, code: str) -> str | None:
    """Digest of files and of what decides what becomes of them; None for what is only known once read.

    `code` is the digest of the code that brings them in.
    """
    if not isinstance(data, Path):
        return None
    if data.is_file():
        files = digest_file(data)
    elif data.is_dir():
        files = digest_tree(data)
    else:
        return None
    return digest_of([code, libraries(), source.rules, files])


def check_fresh(source: EventSource, last: datetime, now: datetime) -> None:
    """Raise `DataError` when the newest event is older than a rule of the source allows."""
    for rule in source.rules:
        if isinstance(rule, Fresh) and now - last > rule.within:
            raise DataError(
                f"{source.name}: its newest event is of {last:%Y-%m-%d %H:%M} UTC, {now - last} ago, and may "
                f"be {in_words(rule.within)} old at most. Bring in newer events, or widen the rule. "
                "Nothing was stored."
            )


def check_volume(source: EventSource, rows: int, versions: Sequence[HistoryVersion]) -> None:
    """Raise `DataError` when there are too few or too many rows, compared with the last delivery."""
    delivered = [one.delivered for one in versions if one.how != "expire"]
    for rule in source.rules:
        if isinstance(rule, Volume) and delivered:
            low, high = rule.least * delivered[-1], rule.most * delivered[-1]
            if not low <= rows <= high:
                raise DataError(
                    f"{source.name}: {rows:,} rows came, {delivered[-1]:,} the last time; {low:,.0f} to "
                    f"{high:,.0f} are expected. See that the delivery is whole, or widen the rule. "
                    "Nothing was stored."
                )


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What a file of canonical events holds."""

    digest: str
    file_digest: str
    rows: int
    entities: int
    first: datetime
    last: datetime
    late: int
    late_by: timedelta | None

    @classmethod
    def of(
        cls, file: Path, source: EventSource, keys: Sequence[str], *, before: HistoryVersion | None
    ) -> Contents:
        """`before` is what held; when all of it expired, its first and last event are still those known."""
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        table = pq.read_table(file)
        span = pc.min_max(table[source.event_timestamp]).as_py()
        if not table.num_rows and before is not None:
            span = {"min": before.first, "max": before.last}
        there = [key for key in keys if key in table.column_names]
        late, late_by = _lateness(table, source)
        return cls(
            digest=digest_table(table),
            file_digest=digest_file(file),
            rows=table.num_rows,
            entities=table.select(there).group_by(there).aggregate([]).num_rows if there else 0,
            first=span["min"],
            last=span["max"],
            late=late,
            late_by=late_by,
        )


def _lateness(table: pa.Table, source: EventSource) -> tuple[int, timedelta | None]:
    """How many rows were recorded after they could have been seen, and by how much in the median."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if source.created_timestamp is None:
        return 0, None
    times = (table[name].cast(pa.int64()) for name in (source.created_timestamp, source.event_timestamp))
    lags = pc.subtract(pc.subtract(*times), source.delay // timedelta(microseconds=1))
    lags = pc.filter(lags, pc.greater(lags, 0))
    if not len(lags):
        return 0, None
    return len(lags), timedelta(microseconds=pc.quantile(lags, 0.5, interpolation="lower")[0].as_py())
