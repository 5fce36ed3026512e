"""The real engines, in processes of their own, on a copy of the package whose code is edited."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import mlops_core
from mlops_core.domain.digest import file_digests
from tests.flows.purchases import write_purchases

pytestmark = pytest.mark.live

_HEAVY = ("duckdb", "mlflow", "pandas", "prefect", "sklearn")


class Copy:
    """A copy of the package, and `mlops` run from it."""

    def __init__(self, folder: Path) -> None:
        self.package, self.home = folder / "mlops_core", folder / "home"
        self.data = ["--data", str(write_purchases(folder / "purchases.parquet", 650))]
        unread = shutil.ignore_patterns("__pycache__")
        shutil.copytree(Path(mlops_core.__file__).parent, self.package, ignore=unread)

    def python(self, code: str) -> str:
        """What a program of these words prints."""
        told = {"MLOPS_HOME": str(self.home), "PYTHONPATH": str(self.package.parent), "DO_NOT_TRACK": "1"}
        done = subprocess.run(  # noqa: S603 - our own words
            [sys.executable, "-c", code],
            env={**os.environ, **told},
            cwd=self.package.parent,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def mlops(self, *words: str) -> str:
        """What a command says."""
        return self.python(f"import sys\nfrom mlops_core.cli import main\nsys.exit(main({list(words)!r}))")

    def statuses(self) -> dict[str, str]:
        """The plan, which leaves no trace."""
        before = file_digests(self.home)
        plan: dict[str, Any] = json.loads(self.mlops("plan", "churn", *self.data, "--json"))
        assert file_digests(self.home) == before
        return {one["task"]: one["status"] for one in plan["tasks"]}

    def run(self) -> set[str]:
        """The tasks that worked in a run, by the journal."""
        before = self._worked()
        self.mlops("run", "churn", *self.data, "--quiet")
        return {stage for stage, times in self._worked().items() if times != before.get(stage)}

    def _worked(self) -> dict[str, list[dict[str, Any]]]:
        notes = [json.loads(path.read_bytes()) for path in (self.home / "runs" / "churn").glob("*.json")]
        return {note["inputs"]["stage"]: note["worked"] for note in notes}

    def edit(self, module: str, old: str, new: str) -> None:
        """Replace the one place in a module that says `old`."""
        path = self.package / module
        text = path.read_text()
        assert text.count(old) == 1
        path.write_text(text.replace(old, new))


def test_code_counts_as_changed_where_it_is_used(tmp_path: Path) -> None:
    """A comment changes nothing; a helper that the evaluation alone uses makes that run, and it is named."""
    copy = Copy(tmp_path)
    assert "deployment" in copy.run()
    assert set(copy.statuses().values()) == {"reuse"}

    heading = "from __future__ import annotations\n"
    copy.edit("metrics/importance.py", heading, f"{heading}\n# A remark\n")
    assert set(copy.statuses().values()) == {"reuse"}

    copy.edit("metrics/importance.py", "def importances(", "_AN_OLD_ONE = 1\n\n\ndef importances(")
    assert set(copy.statuses().values()) == {"reuse"}

    copy.edit("metrics/importance.py", "_AN_OLD_ONE = 1\n\n\ndef importances(\n", "def importances(\n")
    text = (copy.package / "metrics" / "importance.py").read_text()
    body = text.index('"""\n', text.index("def importances(")) + 4
    (copy.package / "metrics" / "importance.py").write_text(f"{text[:body]}    assert True\n{text[body:]}")
    found = copy.statuses()
    assert {name for name, status in found.items() if status != "reuse"} == {"model_evaluation"}
    said = copy.mlops("why", "churn.model_evaluation", *copy.data)
    assert "code: mlops_core.metrics.importance:importances changed" in said
    assert copy.run() == {"model_evaluation"}
    assert set(copy.statuses().values()) == {"reuse"}


def test_a_plan_of_what_is_unchanged_imports_no_engine(tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    copy.run()
    code = (
        f"import sys\nfrom mlops_core.cli import main\nmain({['plan', 'churn', *copy.data]})\n"
        f"print([one for one in {_HEAVY!r} if one in sys.modules])"
    )
    assert copy.python(code).splitlines()[-1] == "[]"
