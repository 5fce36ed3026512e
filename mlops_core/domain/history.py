"""What is said of events that were brought in: the versions of a source's history."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from mlops_core.domain.value import Value

__all__ = ["HistoryVersion", "Ingested", "Merged"]


class Ingested(Value):
    """Rows that were accepted, and rows that were set aside in quarantine."""

    rows: int
    quarantined: int = 0


class Merged(Value):
    """What an upsert or an expiry changed, in rows."""

    added: int
    removed: int


class HistoryVersion(Value):
    """A source's canonical events at one time: a version is never changed, the next one replaces it.

    `digest` is that of the events (`digest_table`), `file_digest` that of the file `uri`, a path relative to
    the state folder. `how` says what made it, `given` is the digest of the files it was given, where there
    were any, and `delivered` how many rows it was given. One that is not `present` was compacted away.

    `late` rows were recorded after they could have been seen (event timestamp and delay), by a median of
    `late_by`: what a join on event timestamps alone would have seen too early.
    """

    number: int
    uri: str
    digest: str
    file_digest: str
    rows: int
    entities: int
    first: datetime
    last: datetime
    stored_at: datetime
    how: Literal["whole", "upsert", "expire"]
    given: str | None
    changed: Merged
    delivered: int
    quarantined: int = 0
    late: int = 0
    late_by: timedelta | None = None
    present: bool = True
