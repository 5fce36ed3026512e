"""The events that a version was made from: the very ones, or what is held today as it was known then."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from mlops_core.domain.digest import digest_file
from mlops_core.domain.receipts import EventLog, FeatureStoreReceipt, Ref
from mlops_core.errors import IntegrityError, NotFound
from mlops_core.history import EventHistory
from mlops_core.reproduction.reproduction import SourceRead

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from mlops_core.domain.history import HistoryVersion
    from mlops_core.domain.registry import ModelVersion
    from mlops_core.domain.sources import EventSource
    from mlops_core.domain.usecase import UseCase
    from mlops_core.ports import Engines

__all__ = ["PastEvents"]

_LOG = logging.getLogger(__name__)


class PastEvents:
    """The events behind `version`, whose definitions are `use_case`.

    Each source's version of its history is found by the digest in the lineage, and its file is verified.
    Where the file was compacted or expired away, a source with created timestamps still tells what was known
    when that version was stored. Raises `NotFound` for one without, `IntegrityError` for a damaged file.
    """

    def __init__(self, version: ModelVersion, use_case: UseCase, engines: Engines) -> None:
        self._version, self._lineage = version, version.lineage
        self._history = EventHistory(use_case, engines)
        self._logs: dict[str, EventLog] = {}
        self.read: list[SourceRead] = []
        self.notes: list[str] = []
        for source in use_case.sources:
            self._read(source)

    @property
    def receipt(self) -> FeatureStoreReceipt:
        """What the stage before the training set would say: the events, by absolute paths."""
        return FeatureStoreReceipt(
            events=self._logs,
            as_of=self._lineage.as_of,
            as_known_at=self.as_known_at,
            online_rows=0,  # nothing is brought online
            online_digest="",
        )

    @property
    def as_known_at(self) -> datetime | None:
        """The lineage's, or an earlier time at which a version was stored that is there no more."""
        times = [self._lineage.as_known_at, *(one.as_known_at for one in self.read)]
        return min((time for time in times if time is not None), default=None)

    def _read(self, source: EventSource) -> None:
        digest = self._lineage.data.get(source.name)
        if digest is None:
            raise IntegrityError(
                f"the lineage of {self._named} names no digest of {source.name}, of which its definitions "
                "read: the registry's entry of that version was changed"
            )
        found = self._history.find(source, digest)
        if found is None or not found.present:
            self._read_as_known(source, digest, found)
            return
        file = self._history.path(found)
        if not file.is_file() or digest_file(file) != found.file_digest:
            raise IntegrityError(
                f"{source.name}: the stored events {found.uri} are not what was stored, and {self._named} "
                "was trained on them. Restore that file from a backup, or bring the same data in again"
            )
        self._take(source, found, file, first=found.first)
        self.read.append(
            SourceRead(source=source.name, digest=digest, how="stored", number=found.number, rows=found.rows)
        )
        _LOG.info("%s: version %d of its history, %s rows", source.name, found.number, f"{found.rows:,}")

    def _read_as_known(self, source: EventSource, digest: str, gone: HistoryVersion | None) -> None:
        where = "are in no version of its history here"
        if gone is not None:
            where = f"were version {gone.number} of its history, which was compacted away"
        missing = f"{source.name}: the events {digest[:12]} that {self._named} was trained on {where}"
        if source.created_timestamp is None:
            raise NotFound(
                f"{missing}; and without a created_timestamp the events of today do not tell what was known "
                "then. Bring that data in again, or use the state folder (MLOPS_HOME) that it was trained in"
            )
        try:
            held = self._history.held(source)
        except NotFound as error:
            raise NotFound(f"{missing}; and none are held today: {error}") from error
        then = gone.stored_at if gone else self._version.created_at
        self._take(source, held, self._history.path(held), first=gone.first if gone else held.first)
        if any(one.how == "expire" and one.stored_at >= then for one in self._history.versions(source)):
            self.notes.append(
                f"{source.name}: rows expired since, so what is held is less than was known then"
            )
        self.read.append(
            SourceRead(
                source=source.name,
                digest=digest,
                how="as known",
                number=gone.number if gone else None,
                rows=held.rows,
                as_known_at=then,
            )
        )
        _LOG.info("%s; reading version %d as known at %s", missing, held.number, f"{then:%Y-%m-%d %H:%M}")

    def _take(self, source: EventSource, held: HistoryVersion, file: Path, *, first: datetime) -> None:
        self._logs[source.name] = EventLog(
            ref=Ref(uri=str(file), digest=held.digest),
            rows=held.rows,
            entities=held.entities,
            first=first,
            last=held.last,
        )

    @property
    def _named(self) -> str:
        return f"{self._version.name} version {self._version.number}"
