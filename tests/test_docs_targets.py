"""docs/targets.md: its settings are those there are, its table has a row for every test."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from benchmarks.targets import placed, table
from mlops_core.cli import main
from mlops_core.target_settings import TargetSettings
from tests.deployer.rigs import CLOUDS

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "targets.md").read_text()
SUITE = ("test_deployer_conformance.py", "test_target_conformance.py")
BLOCKS = re.findall(r"^```bash\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def seen() -> list[list[str]]:
    """The table of the conformance suite, cell by cell."""
    begin, end = PAGE.index("benchmarks.targets --into"), PAGE.index("<!-- end of the table -->")
    lines = [line for line in PAGE[begin:end].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_setting_of_targets_is_told_with_its_default() -> None:
    told = dict(re.findall(r"^\| `(MLOPS_\w+)` \| .* \| (.*) \|$", PAGE, re.MULTILINE))
    fields = {f"MLOPS_{name}".upper(): field for name, field in TargetSettings.model_fields.items()}
    assert set(fields) <= set(told) | {"MLOPS_TARGET"}
    for name, field in fields.items():
        if name != "MLOPS_TARGET" and field.default is not None:
            default = f"{field.default:g}" if isinstance(field.default, float) else str(field.default)
            assert told[name] == default, name


def test_the_table_has_a_row_for_every_test_of_the_suite_and_a_column_for_every_target() -> None:
    files = ((ROOT / "tests" / "deployer" / file).read_text() for file in SUITE)
    found = (name for text in files for name in re.findall(r"^def test_(\w+)", text, re.MULTILINE))
    tests = [name.replace("_", " ") for name in found]
    header, _, *rows = seen()
    assert sorted(row[0] for row in rows) == sorted(tests)
    assert header[1:] == ["local", "memory", "memory platform", *(f"{name} (fake)" for name in CLOUDS)]
    assert {cell for row in rows for cell in row[1:]} == {"yes", "n/a"}


def test_a_failed_example_makes_its_row_fail() -> None:
    found = table({"a": {"local": "passed", "vertex (fake)": "failed"}, "b": {"local": "n/a"}})
    assert found.splitlines()[2:] == ["| a | yes | **no** |", "| b | n/a |  |"]
    page = placed(found, PAGE)
    assert seen() != []
    assert "| a | yes | **no** |" in page
    assert page.endswith(PAGE[PAGE.index("<!-- end of the table -->") :])


def test_every_command_is_one_there_is_with_its_options(capsys: pytest.CaptureFixture[str]) -> None:
    lines = "".join(BLOCKS).splitlines()
    commands = [shlex.split(line)[1:] for line in lines if line.startswith("mlops ")]
    assert commands
    for words in commands:
        with pytest.raises(SystemExit) as ended:  # argparse ends so after help
            main([words[0], "--help"])
        said = capsys.readouterr().out
        assert ended.value.code == 0, words
        assert all(word in said for word in words if word.startswith("--")), words
