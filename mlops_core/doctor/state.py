"""The state folder: is it there or can it be made, is there room, and does it lie where SQLite is safe."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_core.disk import translated
from mlops_core.doctor.finding import Finding, note, ok, problem

if TYPE_CHECKING:
    from mlops_core.settings import Settings

__all__ = ["NETWORKED", "file_system_of", "folder", "room"]

# The file systems, as the kernel names them, on which locks of other hosts are not to be relied on
NETWORKED = frozenset(
    ["9p", "afs", "ceph", "cifs", "fuse.s3fs", "fuse.sshfs", "glusterfs", "lustre", "nfs", "nfs4", "smb3"]
)
_LITTLE, _SOME = 100 * 10**6, 10**9  # bytes: the churn model's state is some 50 MB
_COUNTING_SECONDS = 0.5
_OTHER = "mend that, or set MLOPS_HOME to another folder"


def folder(settings: Settings | None) -> list[Finding]:
    """Everything about the state folder that the settings name; of the default one where there are none."""
    home = (settings.home if settings else Path(".mlops")).absolute()
    place = next(one for one in (home, *home.parents) if os.path.lexists(one))
    if not place.is_dir():
        return [problem("state folder", f"{place} is no folder", "move it away, or set MLOPS_HOME")]
    refused = _refusal(place)
    if refused:
        return [problem("state folder", refused, _OTHER)]
    size = _held(home) if place == home else "not there yet: the first run makes it"
    return [*room(home, shutil.disk_usage(place).free, size), *_networked(home, place)]


def room(home: Path, free: int, held: str) -> list[Finding]:
    """Whether `free` bytes will do for a run."""
    says = f"{home}: {held}; {_size(free)} free"
    if free < _LITTLE:
        return [problem("state folder", says, "make room (mlops gc), or set MLOPS_HOME to another disk")]
    if free < _SOME:
        return [note("state folder", says, "a run needs room for its data again: mlops gc lists what may go")]
    return [ok("state folder", says)]


def file_system_of(place: Path, mounts: str) -> str:
    """The kind of the file system that `place` is on by the text of /proc/self/mounts, or ""."""
    fields = [line.split(" ") for line in mounts.splitlines()]
    over = [(one[1], one[2]) for one in fields if len(one) > 2 and place.is_relative_to(one[1])]
    return max(over, key=lambda one: len(one[0]), default=("", ""))[1]


def _refusal(place: Path) -> str:
    """What the disk says when something is written there, and removed again."""
    from mlops_core.errors import MlopsError

    try:
        with translated("write", place), tempfile.TemporaryFile(dir=place) as trial:
            trial.write(b"0" * 4096)
    except MlopsError as error:
        return str(error).partition(". ")[0]
    return ""


def _networked(home: Path, place: Path) -> list[Finding]:
    mounts = Path("/proc/self/mounts")
    kind = file_system_of(place.resolve(), mounts.read_text()) if mounts.is_file() else ""
    if kind not in NETWORKED:
        return []
    remedy = "set MLOPS_HOME to a disk of this machine; what a team shares: MLOPS_LEDGER, MLOPS_TRACKING_URI"
    return [problem("state folder", f"{home} is on {kind}, where SQLite's locks cannot be relied on", remedy)]


def _held(home: Path) -> str:
    end, total, more = time.monotonic() + _COUNTING_SECONDS, 0, ""
    for parent, _, names in os.walk(home):
        if time.monotonic() > end:
            more = "more than "
            break
        for name in names:
            try:
                total += (Path(parent) / name).lstat().st_size
            except OSError:
                continue  # it went while we looked
    return f"holds {more}{_size(total)}"


def _size(count: int) -> str:
    return f"{count / 1e9:,.1f} GB" if count >= 10**9 else f"{count / 1e6:,.1f} MB"
