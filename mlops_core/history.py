"""The history of each source's events: versions that are never changed, and the one that holds now.

::

    <home>/features/<use case>/<source>-<contract>/versions.json    every version, the last one holds
                                                   <digest>.parquet  canonical events

`contract` is a digest of the columns that the use case reads and what it reads them as: definitions that read
other columns begin a history of their own. Bringing the same data in again changes nothing. A version is
written aside and renamed, then `versions.json` is replaced: a killed process leaves a file that nobody reads.

A source that appends keeps what it was given before, by `OfflineStore.merge`; for any other source, what is
brought in is the whole history.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from mlops_core.deliveries import Contents, check_fresh, check_volume, digest_of_given
from mlops_core.disk import replace_file, sync, translated
from mlops_core.domain.digest import digest_file, digest_of
from mlops_core.domain.history import HistoryVersion, Merged
from mlops_core.domain.reads import contract_of
from mlops_core.errors import IntegrityError, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from mlops_core.domain.sources import Data, EventSource
    from mlops_core.domain.usecase import UseCase
    from mlops_core.ports import Engines
    from mlops_core.workspace import Workspace

__all__ = ["EventHistory", "discard", "stored_versions"]

_VERSIONS = "versions.json"
_LOG = logging.getLogger(__name__)


def _now() -> datetime:
    return datetime.now(UTC)


class EventHistory:
    """The events of one use case's sources. `clock` says when it is, for rules and for the record."""

    def __init__(self, use_case: UseCase, engines: Engines, *, clock: Callable[[], datetime] = _now) -> None:
        self._use_case, self._workspace, self._clock = use_case, engines.workspace, clock
        self._engines = engines  # the offline store is made when it is first needed

    def bring_in(
        self, source: EventSource, data: Data | None, *, quarantine: Path | None = None
    ) -> HistoryVersion:
        """The version that holds once `data` is in; the one that holds already when nothing is new.

        None leaves an appending source as it is. Raises `DataError` for rows that break the contract or a
        rule, `NotFound` when there is nothing to bring in, `IntegrityError` when stored events that cannot be
        made again were changed; the history is then as it was.
        """
        with self._locked(source):
            held, given = self._unchanged(source, data)
            if held is not None:
                return held
            assert data is not None  # noqa: S101 - else `_unchanged` has raised
            return self._brought_in(source, data, given, quarantine)

    def expected(self, source: EventSource, data: Data | None) -> HistoryVersion | None:
        """The version that `bring_in` would return without reading `data`; None when it has to be read.

        Nothing is locked or written. Raises as `bring_in` does, for what is seen without reading.
        """
        return self._unchanged(source, data)[0]

    def expire(self, source: EventSource, before: datetime) -> HistoryVersion:
        """Let go of rows that no feature can see at `before` or later: answers from then on stay the same."""
        with self._locked(source):
            held = self.held(source)
            with self._workspace.scratch() as folder:
                kept = folder / "kept.parquet"
                changed = self._engines.offline.merge(
                    self._use_case, source, self.path(held), None, kept, keep_from=before
                )
                if not changed.removed:
                    return held
                return self._stored(
                    source, kept, _How(how="expire", changed=changed, delivered=held.delivered)
                )

    def compact(self, source: EventSource) -> list[HistoryVersion]:
        """Remove the events of all versions but the one that holds; returns those that went.

        What was trained on them can no longer be trained again.
        """
        with self._locked(source):
            versions = self._versions(source)
            held = versions[-1] if versions else None
            gone = [one for one in versions if one.present and held and one.uri != held.uri]
            if gone:
                marked = [
                    one.model_copy(update={"present": False}) if one in gone else one for one in versions
                ]
                self._write(source, marked)
            for one in gone:
                self.path(one).unlink(missing_ok=True)
            return gone

    def versions(self, source: EventSource) -> list[HistoryVersion]:
        """All versions, the oldest first; empty before the first."""
        return self._versions(source)

    def find(self, source: EventSource, digest: str) -> HistoryVersion | None:
        """The newest version with events of that digest, rather one that is present; None when none has it.

        The histories of other definitions of the source are looked through, too: equal digests, equal events.
        """
        own = self._folder(source)
        others = sorted(set(own.parent.glob(f"{source.name}-*")) - {own})
        versions = [one for folder in (*others, own) for one in self._listed(folder) if one.digest == digest]
        return max(versions, key=lambda one: (one.present, one.stored_at), default=None)

    def held(self, source: EventSource, *, as_known_at: datetime | None = None) -> HistoryVersion:
        """The version that holds, verified; with `as_known_at` the one that held at that time.

        A source with created timestamps tells itself what was known when, so for it this is always the
        version that holds. Raises `NotFound` when there is none.
        """
        versions = self._versions(source)
        if as_known_at is not None and source.created_timestamp is None:
            versions = [one for one in versions if one.stored_at <= as_known_at]
            if not versions:
                raise NotFound(
                    f"{source.name}: nothing was stored by {as_known_at:%Y-%m-%d %H:%M} UTC, and without a "
                    "created_timestamp nothing else says what was known then"
                )
        if not versions:
            raise NotFound(
                f"{source.name}: no events were stored for these definitions of {self._use_case.name}. Bring "
                f"them in with `mlops features materialise {self._use_case.name} --data FILE`"
            )
        held = versions[-1]
        if not held.present:
            raise NotFound(f"{source.name}: the events of version {held.number} were compacted away")
        if not self._intact(held, source):
            raise IntegrityError(
                f"{source.name}: the stored events {held.uri} are not what was stored. Bring their data in "
                "again, or restore that file from a backup"
            )
        return held

    def files(self, *, as_known_at: datetime | None = None) -> dict[str, Path]:
        """The events of every source, by its name."""
        return {
            source.name: self.path(self.held(source, as_known_at=as_known_at))
            for source in self._use_case.sources
        }

    def path(self, version: HistoryVersion) -> Path:
        """Where the events of a version lie."""
        return self._workspace.path(version.uri)

    def _unchanged(self, source: EventSource, data: Data | None) -> tuple[HistoryVersion | None, str | None]:
        """The version that holds, if `data` is what made it; and the digest of `data`, where it has one."""
        held = next(reversed(self._versions(source)), None)
        given = digest_of_given(source, data, self._engines.code.of("feature_store"))
        unchanged = data is None if source.append else given is not None and held and given == held.given
        if held is not None and unchanged and self._intact(held, source):
            check_fresh(source, held.last, self._clock())
            return held, given
        if data is None:
            raise NotFound(
                f"{source.name}: there are no events to bring in. Give a file with --data, or the source "
                "a path or a query"
            )
        return None, given

    def _brought_in(
        self, source: EventSource, data: Data, given: str | None, quarantine: Path | None
    ) -> HistoryVersion:
        versions = self._versions(source)
        base = self.held(source) if source.append and versions else None
        with self._workspace.scratch() as folder:
            batch, merged = folder / "batch.parquet", folder / "merged.parquet"
            found = self._engines.offline.ingest(self._use_case, source, data, batch, quarantine=quarantine)
            check_volume(source, found.rows, versions)
            how = _How(
                how="upsert" if source.append else "whole",
                given=given if not found.quarantined else None,
                delivered=found.rows,
                quarantined=found.quarantined,
            )
            if base is None:
                return self._stored(source, batch, how)
            changed = self._engines.offline.merge(self._use_case, source, self.path(base), batch, merged)
            return self._stored(source, merged, replace(how, changed=changed))

    def _stored(self, source: EventSource, file: Path, how: _How) -> HistoryVersion:
        """Put a file of events in place and make it the version that holds, unless an equal one does."""
        versions = self._versions(source)
        held = versions[-1] if versions else None
        found = Contents.of(file, source, self._use_case.entity.keys, before=held)
        check_fresh(source, found.last, self._clock())
        final = self._folder(source) / f"{found.digest[:16]}.parquet"
        placed = {**vars(found), "uri": self._workspace.uri(final), "given": how.given, "present": True}
        if held is not None and held.digest == found.digest:
            versions[-1] = held.model_copy(update=placed)
        else:
            before = held.rows if held else 0
            said = {**vars(how), "changed": how.changed or Merged(added=found.rows, removed=before)}
            number = held.number + 1 if held else 1
            versions.append(
                HistoryVersion.model_validate(
                    {**said, **placed, "number": number, "stored_at": self._clock()}
                )
            )
        with translated("keep events", self._workspace.home):
            final.parent.mkdir(parents=True, exist_ok=True)
            file.replace(final)
            sync(final.parent)
            self._write(source, versions)
        return versions[-1]

    def _locked(self, source: EventSource) -> AbstractContextManager[None]:
        return self._workspace.lock(f"events-{self._use_case.name}-{source.name}")

    def _intact(self, version: HistoryVersion, source: EventSource) -> bool:
        path = self.path(version)
        if path.is_file() and digest_file(path) == version.file_digest:
            return True
        if source.append:
            raise IntegrityError(
                f"{source.name}: the stored events {version.uri} are not what was stored. Restore that file "
                f"from a backup, or remove {self._workspace.uri(self._folder(source))} and bring all in again"
            )
        _LOG.warning("feature_store: the stored events %s were changed; making them again", version.uri)
        return False

    def _folder(self, source: EventSource) -> Path:
        contract = digest_of(contract_of(self._use_case, source))[:12]
        return self._workspace.home / "features" / self._use_case.name / f"{source.name}-{contract}"

    def _versions(self, source: EventSource) -> list[HistoryVersion]:
        return self._listed(self._folder(source))

    def _listed(self, folder: Path) -> list[HistoryVersion]:
        return stored_versions(self._workspace, folder)

    def _write(self, source: EventSource, versions: Sequence[HistoryVersion]) -> None:
        _replace(self._folder(source), versions)


def stored_versions(workspace: Workspace, folder: Path) -> list[HistoryVersion]:
    """All versions in a folder of events, whichever definitions it is of; the oldest first."""
    path = folder / _VERSIONS
    try:
        listed = json.loads(path.read_bytes())
        return [HistoryVersion.model_validate(one) for one in listed]
    except FileNotFoundError:
        return []
    except ValueError as error:
        raise IntegrityError(
            f"{workspace.uri(path)} is damaged: restore it from a backup, or remove its folder and "
            "bring the events in again"
        ) from error


def discard(workspace: Workspace, folder: Path, uri: str) -> bool:
    """Remove a file of events from such a folder; the versions that it was of stay listed, as not present.

    False, and nothing is done, while somebody writes to the source, and for the version that holds.
    """
    source = folder.name.rpartition("-")[0]
    with workspace.lock_if_free(f"events-{folder.parent.name}-{source}") as mine:
        versions = stored_versions(workspace, folder) if mine else []
        if not mine or (versions and versions[-1].uri == uri):
            return False
        marked = [one.model_copy(update={"present": one.present and one.uri != uri}) for one in versions]
        with translated(f"remove {uri}", workspace.home):
            if marked != versions:
                _replace(folder, marked)
            workspace.path(uri).unlink(missing_ok=True)
    return True


def _replace(folder: Path, versions: Sequence[HistoryVersion]) -> None:
    content = json.dumps([one.model_dump(mode="json") for one in versions], indent=1)
    replace_file(folder / _VERSIONS, content.encode())


@dataclass(frozen=True, kw_only=True)
class _How:
    """What made a version."""

    how: Literal["whole", "upsert", "expire"]
    delivered: int
    given: str | None = None
    quarantined: int = 0
    changed: Merged | None = None
