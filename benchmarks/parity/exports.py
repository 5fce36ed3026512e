"""Pipelines as `mlops export` writes them: once for each way, however often it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.parity.processes import ROOT, WATCH, environment, script, to_end

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.parity.way import Subject

__all__ = ["exported"]


def exported(subject: Subject, target: str, into: Path, file: str) -> Path:
    """The file called `file` of the export `target`, in the folder `into`; made if it is not there."""
    if not (into / file).exists():
        into.mkdir(parents=True, exist_ok=True)
        words = [script("mlops"), "export", subject.use_case, "--to", target, "--into", into]
        done = to_end(words, environment(into, PYTHONPATH=f"{WATCH}:{ROOT}"), into)
        assert done.code == 0, done.errors
    return into / file
