"""Processes that use a ledger: `appender.py`, as others see it or as the system treats it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

__all__ = ["said", "started", "strace", "unprivileged", "with_mount"]

_SCRIPT = Path(__file__).with_name("appender.py")
_ROOT = Path(__file__).parents[2]


def started(*words: object, before: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    """The script with these words, run by the program `before`."""
    return subprocess.Popen(  # noqa: S603 - this very interpreter, code of ours
        [*before, sys.executable, str(_SCRIPT), *map(str, words)],
        env={**os.environ, "PYTHONPATH": str(_ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def said(*words: object, before: tuple[str, ...] = ()) -> str:
    """What it prints; nothing when it was killed."""
    process = started(*words, before=before)
    out, err = process.communicate(timeout=120)
    assert process.returncode in (0, -9, 137), err
    return out


def strace(call: str, what: str, number: int, log: Path) -> tuple[str, ...]:
    """Do something (`signal=KILL`, `error=ENOSPC`) at the `number`-th of a system call, before it happens."""
    program = shutil.which("strace")
    if program is None:
        pytest.skip("strace is not installed, which kills at a chosen system call")
    # --seccomp-bpf would be faster, but with it no signal is sent.
    words = ["-f", "-o", str(log), "-e", f"trace={call}", "-e", f"inject={call}:{what}:when={number}"]
    return (program, *words)


def unprivileged() -> tuple[str, ...]:
    """For root, to whom permissions do not apply: without its capabilities."""
    if os.getuid() != 0:
        return ()
    program = shutil.which("setpriv")
    if program is None:
        pytest.skip("root may write anywhere, and setpriv is not installed")
    return (program, "--inh-caps=-all", "--bounding-set=-all")


def with_mount(mount: str) -> tuple[str, ...]:
    """In a name space of its own, after a mount there."""
    program = shutil.which("unshare")
    asked = [program or "false", "--user", "--map-root-user", "--mount", "true"]
    if subprocess.run(asked, check=False, capture_output=True).returncode != 0:  # noqa: S603 - our own words
        pytest.skip("this system allows no mounts in a name space (unshare --user --mount)")
    return (asked[0], *asked[1:-1], "sh", "-ec", f'{mount}; exec "$@"', "sh")
