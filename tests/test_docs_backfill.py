"""docs/backfill.md and docs/segments.md: what they show is understood, and their example is what it says."""

from __future__ import annotations

import re
import shlex
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from mlops_core.cli import main
from mlops_core.domain.periods import last_days
from mlops_core.options import OptionParser, add_options
from mlops_core.parameters import MOST_DAYS, BackfillParameters, SegmentsParameters
from mlops_core.validation import validated

DOCS = Path(__file__).parents[1] / "docs"
BACKFILL, SEGMENTS = ((DOCS / f"{name}.md").read_text() for name in ("backfill", "segments"))


def given(page: str, flow: str, model: Any) -> list[Any]:
    """The parameters of each command of a flow that a page shows."""
    commands = re.findall(rf"python flows/{flow}\.py (.*)$", page, re.MULTILINE)
    parser = OptionParser(prog=flow)
    add_options(parser, model)
    parser.add_argument("--workers")  # a task runner's; `flows.parameters.with_runner` adds them
    assert commands
    known = [vars(parser.parse(shlex.split(words))) for words in commands]
    return [
        validated(model, {name: one[name] for name in one if name in model.model_fields}) for one in known
    ]


def test_the_table_shown_has_the_days_of_the_command() -> None:
    (shown,) = given(BACKFILL, "backfill", BackfillParameters)
    assert re.findall(r"^(\d{4}-\d\d-\d\d) ", BACKFILL, re.MULTILINE) == [f"{day}" for day in shown.days]


def test_the_limits_are_those_of_the_code() -> None:
    assert f"more than {MOST_DAYS:,} days" in BACKFILL
    for period in re.findall(r"`(day|week|month|quarter)`", BACKFILL):
        assert [*last_days(date(1998, 1, 1), date(1998, 3, 31), period)]


def test_their_commands_are_understood(capsys: pytest.CaptureFixture[str]) -> None:
    shown = [shlex.split(line) for line in re.findall(r"`mlops ([a-z].*?)`", BACKFILL + SEGMENTS)]
    assert {words[0] for words in shown} == {"gc", "plan", "run", "why"}
    for words in shown:
        with pytest.raises(SystemExit):  # argparse ends so after help
            main([words[0], "--help"])
        said = capsys.readouterr().out
        assert all(word in said for word in words if word.startswith("--"))


def test_the_example_makes_the_use_cases_that_the_page_names() -> None:
    (example,) = re.findall(r"^```python\n(.*?)^```$", SEGMENTS, re.DOTALL | re.MULTILINE)
    made: dict[str, Any] = {}
    exec(example, made)  # noqa: S102 - the page's own code
    (command,) = given(SEGMENTS, "segments", SegmentsParameters)
    found = [made[name.removeprefix("regions:")] for name in command.use_cases]
    lines = re.findall(r"^(\w+) version 1: delivered$", SEGMENTS, re.MULTILINE)
    assert [one.name for one in found] == lines == ["churn_even", "churn_odd"]
    assert [one.sources[0].data.sql[-1] for one in found] == ["0", "1"]
