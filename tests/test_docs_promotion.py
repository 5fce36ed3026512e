"""docs/promotion.md: its definitions are ones that can be meant, its commands are ones there are."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from mlops_core.cli import main
from mlops_core.domain.gates import Approval
from mlops_core.domain.time import days

PAGE = (Path(__file__).parents[1] / "docs" / "promotion.md").read_text()


def test_the_page_s_policy_asks_for_a_person() -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    names: dict[str, Any] = {"__name__": "page"}
    exec(compile(code, "promotion.md", "exec"), names)  # noqa: S102 - our own page
    assert names["CHURN"].gate.approval == Approval(expires=days(7), by_another=True)


def test_the_page_s_commands_are_understood(capsys: pytest.CaptureFixture[str]) -> None:
    """Every command that the page shows exists, with the options that it is shown with."""
    commands = [
        shlex.split(line) for line in re.findall(r"^(?:\$ | *- run: )mlops (.*)$", PAGE, re.MULTILINE)
    ]
    commands += [shlex.split(line) for line in re.findall(r"`mlops ([a-z].*?)`", PAGE)]
    shown = {words[0] for words in commands}
    assert shown == {"approvals", "approve", "history", "models", "promote", "registry", "rollback", "run"}
    for words in commands:
        verb = words[: 2 if words[0] in ("models", "registry") else 1]
        with pytest.raises(SystemExit):  # argparse ends so after help
            main([*verb, "--help"])
        said = capsys.readouterr().out
        for option in (word for word in words if word.startswith("--")):
            assert option in said
