"""A git checkout of this package that has delivered a version: for tests of whole processes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.flows.purchases import write_purchases

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGE = Path(__file__).parents[2] / "mlops_core"
SECONDS = 300  # more than any command takes on a busy machine


def git(folder: Path, *words: str) -> str:
    """A git command, signed by nobody in particular."""
    who = ("-c", "user.name=ann", "-c", "user.email=ann@example.com", "-c", "commit.gpgsign=false")
    return subprocess.run(  # noqa: S603 - our own words
        ["git", *who, *words],  # noqa: S607 - git is found where PATH has it
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


def committed(folder: Path, what: str) -> str:
    """Everything in `folder` as a commit."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", what)
    return git(folder, "rev-parse", "HEAD")


class Checkout:
    """A project in a git repository of its own, which has delivered churn; its settings are relative."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home = folder / "project", folder / "project" / "state"
        shutil.copytree(
            PACKAGE, self.folder / "mlops_core", ignore=shutil.ignore_patterns("__pycache__", "data")
        )
        (self.folder / ".gitignore").write_text("state/\n__pycache__/\n")
        git(self.folder, "init", "--quiet")
        self.then = committed(self.folder, "then")
        ours = ("MLOPS_", "MLFLOW_", "PREFECT_", "GIT_")
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith(ours)
        } | {
            "PYTHONPATH": ".",
            "MLOPS_HOME": "state",
            "MLOPS_LEDGER": "sqlite:///state/own.db",
            "MLOPS_TRACKING_URI": "sqlite:///state/own/mlflow.db",
        }
        data = write_purchases(folder / "purchases.parquet", 650)
        code, _, said = self.mlops("run", "churn", "--data", str(data), "--candidates", "logistic")
        assert code == 0, said

    def mlops(self, *words: str) -> tuple[int, str, str]:
        """A command's exit code, output and errors."""
        process = self.start(*words)
        out, err = process.communicate(timeout=SECONDS)
        return process.returncode, out, err

    def start(self, *words: str) -> subprocess.Popen[str]:
        """A command that goes on."""
        return subprocess.Popen(  # noqa: S603 - our own words
            [sys.executable, "-m", "mlops_core.cli", *words],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def worktrees(self) -> int:
        """How many there are, the checkout itself among them."""
        return len(git(self.folder, "worktree", "list").splitlines())

    def scratch(self) -> list[Path]:
        """What lies about."""
        return list(self.home.glob(".scratch-*"))

    def processes(self) -> list[int]:
        """The living ones that work in here, as Linux tells them."""
        found = []
        for entry in Path("/proc").glob("[0-9]*/cwd"):
            try:
                inside = entry.readlink().is_relative_to(self.folder)
            except OSError:  # ended, or another user's
                continue
            found += [int(entry.parent.name)] if inside else []
        return found


def until(question: Callable[[], object], process: subprocess.Popen[str]) -> None:
    """Wait while a process is at it."""
    deadline = time.monotonic() + SECONDS
    while not question():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
