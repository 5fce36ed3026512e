"""Where events come from, and whose they are."""

from __future__ import annotations

from pathlib import Path

from mlops_core.domain.features import Name
from mlops_core.domain.value import Value

__all__ = ["Entity", "EventSource"]


class Entity(Value):
    """Whom features describe; `key` is the column that tells one from another (integer or string)."""

    name: Name
    key: str


class EventSource(Value):
    """Rows of things that happened, one row an event, in a Parquet or CSV file.

    `event_timestamp` is the column that says when it happened; `created_timestamp`, where there is one, when
    it was recorded. Timestamps may carry a zone (converted), be naive (taken as UTC) or be plain dates (the
    close of that day, see `mlops_core.domain.time`). `path` is the default file; a run may name another.
    """

    name: Name
    event_timestamp: str
    created_timestamp: str | None = None
    path: Path | None = None
