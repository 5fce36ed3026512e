"""What a fit depends on besides its inputs, our code and the libraries' versions."""

from __future__ import annotations

import os
import platform
from typing import Any

__all__ = ["fit_environment"]


def fit_environment(pools: list[dict[str, Any]], threads: int) -> dict[str, str]:
    """Interpreter, machine, and each pool of threads as threadpoolctl tells it.

    `threads` is how many a boosting fit may use. Of BLAS it is the kernel that decides the last bits, chosen
    by the kind of processor; the number of its threads is one while fitting, whatever it is outside.
    """
    found = {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": str(os.cpu_count() or 1),
        "fit threads": str(threads),
    }
    libraries: dict[str, set[str]] = {}  # NumPy and SciPy each bring an OpenBLAS of their own
    for pool in sorted(pools, key=lambda one: (one["user_api"], one["prefix"])):
        known = [str(pool[part]) for part in ("version", "architecture", "threading_layer") if pool.get(part)]
        libraries.setdefault(f"{pool['user_api']} {pool['prefix']}", set()).add(", ".join(known) or "present")
    return found | {name: "; ".join(sorted(each)) for name, each in libraries.items()}
