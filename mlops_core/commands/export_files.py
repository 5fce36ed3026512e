"""Exported files: written into a folder so that nothing of a person's own is lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mlops_core.disk import replace_file, translated
from mlops_core.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mlops_core.domain.pipeline import PipelineDocument

__all__ = ["ADDED", "Written", "write_files"]

ADDED = "prefect.yaml"
"""A file that has entries of other pipelines too, and of a person: it is made, but never replaced."""
_HEAD = 5  # lines in which an exported file says that it is one
_MARK = "mlops export "


@dataclass(frozen=True)
class Written:
    """What became of a file. `kept`: one of this name was there, and `text` has to be put in by hand."""

    path: Path
    state: Literal["written", "replaced", "unchanged", "kept"]
    text: str


def write_files(
    folder: Path, texts: Mapping[str, str], document: PipelineDocument | None = None
) -> list[Written]:
    """Write each text into its file, in one step each, and say what became of it.

    `document` is the pipeline that they are of, if they are of one.

    Raises `BadInput`, and writes nothing, where a file of one of the names was not written by an export.
    """
    with translated("write an export", folder):
        found = [_found(folder / name, text, document) for name, text in texts.items()]
        folder.mkdir(parents=True, exist_ok=True)
        for one in found:
            if one.state in ("written", "replaced"):
                replace_file(one.path, one.text.encode())
    return found


def _found(path: Path, text: str, document: PipelineDocument | None) -> Written:
    """What is to become of a file, before anything is written."""
    try:
        there = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return Written(path, "written", text)
    if there == text.encode():
        return Written(path, "unchanged", text)
    if _exported(there.decode(errors="replace"), path, document):
        return Written(path, "replaced", text)
    if path.name == ADDED:
        return Written(path, "kept", text)
    raise BadInput(
        f"{path}: it is there and does not say that an export wrote it: move it away, or give another --into"
    )


def _exported(there: str, path: Path, document: PipelineDocument | None) -> bool:
    """Whether an export wrote this: its head has the command; JSON, which has no comments, is a document."""
    from mlops_core.exporters.text import from_text

    if document is not None and path.suffix == ".json":
        try:
            return from_text(there, str(path)).name == document.name
        except BadInput:
            return False
    head = "\n".join(there.splitlines()[:_HEAD])
    if document is not None and path.name == ADDED:
        return f"{_MARK}{document.use_case} --to prefect" in head
    return _MARK in head
