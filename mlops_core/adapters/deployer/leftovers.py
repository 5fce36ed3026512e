"""What lies beside the pointer of a name and is not served: for whoever clears away what nobody needs."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from mlops_core.adapters.deployer.pointer import Pointer
from mlops_core.adapters.deployer.shares import LocalShares
from mlops_core.disk import translated
from mlops_core.errors import IntegrityError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["discard", "not_served"]


def not_served(base: Path, *, lock: str) -> list[Path]:
    """Folders and hidden files of `base`, but the lock and what serves or is on trial; all there is, sorted.

    Nothing where a pointer cannot be read: it may mean any of them.
    """
    try:
        pointer, share = Pointer.read(base), LocalShares(base).read()
    except IntegrityError:
        return []
    kept = {lock, pointer.release if pointer else None, share[0].release if share else None}
    found = base.iterdir() if base.is_dir() else ()
    return sorted(
        path for path in found if path.name not in kept and (path.is_dir() or path.name.startswith("."))
    )


def discard(folder: Path, *, lock: str, draft: str) -> bool:
    """Remove one of them, renamed to a draft first: if this process is killed, the next `prepare` sweeps it.

    False, and nothing is done, when it is current or on trial by now or somebody else holds the lock.
    """
    base = folder.parent
    with translated(f"remove {folder.name}", base):
        try:
            with FileLock(base / lock).acquire(blocking=False):
                if folder.exists() and folder not in not_served(base, lock=lock):
                    return False
                if not folder.is_dir():
                    folder.unlink(missing_ok=True)  # or the next release swept it meanwhile
                    return True
                aside = folder if folder.name.startswith(draft) else base / f"{draft}gone-{folder.name}"
                if aside != folder:
                    shutil.rmtree(aside, ignore_errors=True)
                    folder.rename(aside)
                shutil.rmtree(aside)
        except Timeout:
            return False
    return True
