"""The stub's work: what upload-artifact v7 does, into a folder."""

from __future__ import annotations

import os
import re
import shutil
import sys
from itertools import takewhile
from pathlib import Path
from tempfile import TemporaryDirectory


def root_of(patterns: list[str], found: list[Path]) -> Path:
    """The folder that paths within the artifact begin at.

    That of a lone file is its own; otherwise the one that all patterns share, up to their first wildcard.
    """
    heads = [
        Path(*takewhile(lambda part: not re.search(r"[*?\[]", part), Path(one).parts)) for one in patterns
    ]
    if heads == found:
        return found[0].parent
    return Path(os.path.commonpath(heads))


def files_of(pattern: str, *, hidden: bool) -> list[Path]:
    """The files of a pattern, all of a folder's, without hidden ones unless they are wanted."""
    head = Path(pattern).anchor
    given = list(Path(head).glob(str(Path(pattern).relative_to(head))))
    found = [one for path in given for one in (path.rglob("*") if path.is_dir() else [path]) if one.is_file()]
    return [one for one in found if hidden or not one.name.startswith(".")]


def failed(why: str) -> int:
    """Say so as actions do."""
    sys.stdout.write(f"::error::{why}\n")
    return 1


def main() -> int:
    """Copy the files."""
    name = os.environ["NAME"]
    if not name or re.search(r'["<>|*?:\r\n\\/]', name):
        return failed(f"The artifact name is not valid: {name!r}")
    patterns = [line.strip() for line in os.environ["PATTERNS"].splitlines() if line.strip()]
    hidden = os.environ["HIDDEN"] == "true"
    found = [one for pattern in patterns for one in files_of(pattern, hidden=hidden)]
    if not found:
        none = f"No files were found with the provided path: {patterns}"
        return failed(none) if os.environ["IF_NONE"] == "error" else 0
    artifact = Path(os.environ["ARTIFACTS"]) / name
    if artifact.exists() and os.environ["OVERWRITE"] != "true":
        return failed(f"an artifact with this name already exists on the workflow run: {name}")
    root = root_of(patterns, found)
    with TemporaryDirectory(dir=artifact.parent) as aside:  # another job sees the whole artifact or none
        for file in found:
            target = Path(aside) / name / file.relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, target)
        shutil.rmtree(artifact, ignore_errors=True)
        (Path(aside) / name).rename(artifact)
    return 0


sys.exit(main())
