"""Models in memory: for tests and dry runs, gone with the process."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_core.adapters.registry.model_files import check_empty
from mlops_core.adapters.registry.shelf import Record, Shelf
from mlops_core.adapters.registry.stage_changes import check_origin, finishing, following, unlike
from mlops_core.adapters.registry.submission_tags import DOCUMENTS, submission_tags

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_core.adapters.registry.changes import AnyChange
    from mlops_core.domain.registry import ModelVersion, Submission
    from mlops_core.domain.standing import Standing

__all__ = ["MemoryModelRegistry"]


class MemoryModelRegistry:
    """The port `ModelRegistry` over dictionaries; threads may share one."""

    def __init__(self) -> None:
        self._shelves: dict[str, Shelf] = {}
        self._files: dict[tuple[str, int], dict[str, bytes]] = {}
        self._lock = threading.RLock()

    def register(self, submission: Submission) -> ModelVersion:
        """Keep the bytes of the model's files and make them a version in Staging."""
        tags = submission_tags(submission)
        with self._lock:
            shelf = self._shelf(submission.name)
            record = shelf.with_digest(submission.digest)
            if record is None:
                record = self._record(submission, len(shelf.records) + 1, tags)
                shelf = replace(shelf, records=(*shelf.records, record))
            shelf = self._changed(shelf, finishing(shelf))
            return shelf.version(shelf.numbered(record.number))

    def versions(self, name: str) -> list[ModelVersion]:
        """All versions by ascending number."""
        with self._lock:
            return self._shelf(name).versions()

    def fetch(self, version: ModelVersion, into: Path) -> None:
        """Write the files that were registered."""
        with self._lock:
            self._shelf(version.name).numbered(version.number)
            check_empty(into)
            for name, content in self._files[version.name, version.number].items():
                (into / name).parent.mkdir(parents=True, exist_ok=True)
                (into / name).write_bytes(content)

    def differences(self, standing: Standing) -> list[str]:
        """Compare aliases and tags."""
        with self._lock:
            return unlike(self._shelf(standing.name), standing)

    def follow(self, standing: Standing, *, take_over: bool = False) -> list[str]:
        """Set aliases and tags."""
        with self._lock:
            shelf = self._shelf(standing.name)
            if not take_over:
                check_origin(shelf, standing)
            self._changed(shelf, following(shelf, standing))
            return unlike(shelf, standing)

    def _shelf(self, name: str) -> Shelf:
        return self._shelves.get(name, Shelf(name=name))

    def _record(self, submission: Submission, number: int, tags: dict[str, str]) -> Record:
        folder = Path(submission.folder)
        self._files[submission.name, number] = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file()
        } | {f"{DOCUMENTS}/{Path(one).name}": Path(one).read_bytes() for one in submission.documents}
        run_id = f"{submission.name}-{number}"
        return Record(number=number, created_at=datetime.now(UTC), run_id=run_id, source="", tags=tags)

    def _changed(self, shelf: Shelf, changes: Sequence[AnyChange]) -> Shelf:
        for change in changes:
            shelf = shelf.after(change)
        self._shelves[shelf.name] = shelf
        return shelf
