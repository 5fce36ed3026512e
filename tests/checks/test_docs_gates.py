"""docs/gates.md runs as it stands, prints what it says, and names what there is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from mlops_core.checks import judge
from mlops_core.cli import main
from mlops_core.domain.gates import GatePolicy, NonInferiority
from tests.checks.cases import POLICY, classes

PAGE = (Path(__file__).parents[2] / "docs" / "gates.md").read_text().partition("## How often is it wrong")[0]


def test_the_page_s_code_prints_what_stands_below_it(capsys: pytest.CaptureFixture[str]) -> None:
    """The blocks share their names, as in one session."""
    names: dict[str, Any] = {"__name__": "page"}
    for code in re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE):
        exec(compile(code, "gates.md", "exec"), names)  # noqa: S102 - our own page
    assert re.findall(r"^```text\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE) == [capsys.readouterr().out]


def rows_of(heading: str) -> list[list[str]]:
    """The cells of the table below a heading, without its head."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_every_field_of_the_policy_is_in_the_table_with_its_default() -> None:
    """And no other."""
    told = {
        name: default
        for names, defaults, _ in rows_of("The policy")
        for name, default in zip(re.findall(r"`(\w+)`", names), defaults.split(", "), strict=False)
    }
    fields = {name: field.default for name, field in GatePolicy.model_fields.items()}
    del fields["replaced_floor"]  # of runs, not of policies
    assert set(told) | {"ceilings"} == set(fields)
    assert told.pop("floor") == "none: must be given"
    assert told.pop("comparison") == "`Superiority()`"
    assert told.pop("floors") == "`{}`"
    for name, default in told.items():
        expected = fields[name]
        value = eval(default.strip("`"))  # noqa: S307 - our own page
        assert value == expected, name
    assert NonInferiority().margin == 0.002


def test_every_check_is_in_the_table() -> None:
    """By its name, in the order in which they are asked."""
    told = [name for names, _ in rows_of("What is asked") for name in re.findall(r"`([^`]+)`", names)]
    asked = [
        re.sub(r"slice \w+", "slice <name>", re.sub(r"\w+ (at least|at most)", r"<metric> \1", check.name))
        for check in judge(POLICY, classes())
    ]
    assert list(dict.fromkeys(asked)) == told


def test_the_page_s_commands_are_understood(capsys: pytest.CaptureFixture[str]) -> None:
    """With the options that they are shown with."""
    for verb, options in (("promote", ("--waive", "--reason")), ("run", ("--floor", "--fail-on-rejection"))):
        with pytest.raises(SystemExit):  # argparse ends so after help
            main([verb, "--help"])
        said = capsys.readouterr().out
        for option in options:
            assert option in said
            assert option in PAGE
