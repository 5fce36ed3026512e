"""docs/own-data.md: its commands, typed one after the other in an empty folder."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mlops_core.commands.new import add
from mlops_core.options import OptionParser
from mlops_core.scaffold.draft import R2_FLOOR, ROC_AUC_FLOOR

if TYPE_CHECKING:
    from tests.live.conftest import Environment

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "own-data.md").read_text()
COMMANDS = [
    line for block in re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()
]


def test_its_options_and_floors_are_those_of_the_command() -> None:
    """Every option of the table can be given, and the floors are those that are proposed."""
    parser = OptionParser(prog="mlops")
    add(parser.add_subparsers(parser_class=OptionParser), ())
    words = [word for option in re.findall(r"^\| `(--\w+)`", PAGE, re.MULTILINE) for word in (option, "7")]
    assert parser.parse(["new", "shop", "--events", "file", *words]).horizon == "7"
    assert f"{ROC_AUC_FLOOR:g} of ROC AUC" in PAGE
    assert f"{R2_FLOOR:g} of r2" in PAGE


@pytest.mark.live
def test_its_commands_run_one_after_the_other(tmp_path: Path, environment: type[Environment]) -> None:
    """On the bundled purchases: the first only proposes, the last is a run on Prefect."""
    project = tmp_path / "project"
    project.mkdir()
    shutil.copy(ROOT / "mlops_core" / "data" / "cdnow.parquet", project / "events.parquet")
    patient = {"PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120"}  # 20 are few on a busy machine
    site = environment(tmp_path / "state", tmp_path / "prefect", **patient)
    path = f"{Path(shutil.which('mlops') or '').parent}:{site.variables['PATH']}"
    site.variables = {**site.variables, "PATH": path}
    said = []
    for number, line in enumerate(COMMANDS):
        command, *words = shlex.split(line)
        done = site.run(command, *words, cwd=project)
        assert done.returncode == (0 if number else 2), done.stdout
        said.append(done.stdout)
    assert COMMANDS[1] in said[0]
    assert "shop version 1 is delivered" in said[2]
    assert "2 passed" in said[3]
