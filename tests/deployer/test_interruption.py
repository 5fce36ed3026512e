"""A deployment that is interrupted anywhere leaves nothing half-done, and can be done again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("interrupted.py")
STEPS_AT_LEAST = 15


@pytest.mark.parametrize("what", ["kill", "refuse"])
def test_every_step_may_be_the_last(what: str, tmp_path: Path) -> None:
    """Killed, or out of disk space: one release is current and whole, and running again ends well."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, str(SCRIPT), what, str(tmp_path)]
    done = subprocess.run(  # noqa: S603 - our own script, no shell
        command, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= STEPS_AT_LEAST
