"""docs/tutorial.md from its top to its end, in a checkout of its own, on a real Prefect server and worker."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from pathlib import Path

import pytest

from docs.session import Session, played

pytestmark = pytest.mark.live

PARTS = ("deploy", "docs", "flows", "mlops_core", "prefect.yaml", "pyproject.toml")
OURS = ("MLOPS_", "MLFLOW_", "PREFECT_")


def test_the_tutorial_does_what_it_says(tmp_path: Path, project: Path) -> None:
    checkout, notes = tmp_path / "checkout", tmp_path / "notes"
    checkout.mkdir()
    notes.mkdir()
    for part in PARTS:
        copy = shutil.copytree if (project / part).is_dir() else shutil.copy
        copy(project / part, checkout / part)
    prefect, model = _port(), _port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(OURS)},
        "DO_NOT_TRACK": "1",
        "HOME": str(tmp_path / "user"),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "PREFECT_SERVER_API_PORT": prefect,
        "PYTHONPATH": str(checkout),  # as `pip install -e .` of that checkout has it
    }
    session = Session(checkout, notes, environment)
    try:
        played(project / "docs" / "tutorial.md", session, print, {"4200": prefect, "8080": model})
    finally:
        session.close()


def _port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return str(found.getsockname()[1])
