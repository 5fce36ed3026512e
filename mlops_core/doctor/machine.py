"""This machine: clock, time zone, processors, ports."""

from __future__ import annotations

import os
import socket
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mlops_core.doctor.finding import Finding, note, ok, problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_core.settings import Settings

__all__ = ["clock", "ports", "threads"]

_WRITTEN = datetime(2025, 1, 1, tzinfo=UTC)  # a clock before this is wrong: this package is younger
_POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def clock() -> list[Finding]:
    """What time it is here. Dates of the data and of the ledger are UTC, whatever the zone."""
    now = datetime.now(UTC)
    says = f"{now:%Y-%m-%d %H:%M:%S} UTC; the time zone is {time.tzname[0]}, every date of ours is UTC"
    if now < _WRITTEN:
        return [problem("clock", says, "set the clock: entries of the ledger are ordered by it")]
    return [ok("clock", says)]


def threads(settings: Settings | None, environ: Mapping[str, str]) -> list[Finding]:
    """Processors, who was told to use fewer, and the BLAS kernel: digests of models may differ with that."""
    import numpy as np  # noqa: F401 - loads its BLAS, which is asked about
    from threadpoolctl import threadpool_info

    pools = [one for one in threadpool_info() if one["user_api"] == "blas"]
    kernels = sorted({f"{one['internal_api']} {one.get('architecture') or ''}".strip() for one in pools})
    told = [f"{name}={environ[name]}" for name in _POOLS if environ.get(name)]
    if settings and settings.threads:
        told.append(f"MLOPS_THREADS={settings.threads}")
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    says = f"{usable} processors; BLAS {', '.join(kernels) or 'unknown'}"
    if settings and settings.threads and settings.threads > usable:
        return [note("threads", f"{says}; {', '.join(told)}", f"MLOPS_THREADS={usable} is all there is")]
    return [ok("threads", "; ".join((says, *told)))]


def ports(settings: Settings | None) -> list[Finding]:
    """Whether `mlops serve` and `prefect server start` can listen where they do by default."""
    serving = settings.http_port if settings else 8080
    wanted = {serving: "mlops serve: give another with --port", 4200: "prefect server start: --port, too"}
    taken = [port for port in wanted if port and not _is_free(port)]
    if not taken:
        return [ok("ports", f"{' and '.join(str(port) for port in wanted if port)} are free")]
    return [note("ports", f"{port} is in use", wanted[port]) for port in taken]


def _is_free(port: int) -> bool:
    """Bound as servers do it, and let go at once."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
