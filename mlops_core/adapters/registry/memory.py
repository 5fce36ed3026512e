"""Models in memory: for tests and dry runs, gone with the process."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_core.adapters.registry.model_files import check_empty
from mlops_core.adapters.registry.shelf import Record, Shelf
from mlops_core.adapters.registry.stage_changes import deciding, promoting, settling
from mlops_core.adapters.registry.submission_tags import submission_tags

if TYPE_CHECKING:
    from mlops_core.adapters.registry.stage_changes import Change
    from mlops_core.domain.gates import GateDecision
    from mlops_core.domain.registry import ModelVersion, Submission

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
                self._shelves[submission.name] = replace(shelf, records=(*shelf.records, record))
            return self._changed(submission.name, record.number, settling(self._shelf(submission.name)))

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

    def decide(self, name: str, decision: GateDecision) -> ModelVersion:
        """Keep the decision as tags of its version."""
        with self._lock:
            return self._changed(name, decision.version, deciding(self._shelf(name), decision))

    def promote(self, name: str, number: int) -> ModelVersion:
        """Move a version to Production and archive the one that was there."""
        with self._lock:
            return self._changed(name, number, promoting(self._shelf(name), number))

    def _shelf(self, name: str) -> Shelf:
        return self._shelves.get(name, Shelf(name=name))

    def _record(self, submission: Submission, number: int, tags: dict[str, str]) -> Record:
        folder = Path(submission.folder)
        self._files[submission.name, number] = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file()
        }
        run_id = f"{submission.name}-{number}"
        return Record(number=number, created_at=datetime.now(UTC), run_id=run_id, source="", tags=tags)

    def _changed(self, name: str, number: int, changes: list[Change]) -> ModelVersion:
        shelf = self._shelf(name)
        for change in changes:
            shelf = shelf.after(change)
        self._shelves[name] = shelf
        return shelf.version(shelf.numbered(number))
