"""Trials in docs/serving.md: the commands are understood, the bounds and the tables are what they say."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from benchmarks.trial import MOST, WAYS, Candidate, Way, heads, tried
from mlops_core.cli import main
from mlops_core.domain.traffic import Bounds

PAGE = (Path(__file__).parents[1] / "docs" / "serving.md").read_text().partition("\n## Trials\n")[2]
BOUNDS = {"--max-errors": "error_rate", "--max-latency-ms": "latency_ms", "--max-shift": "shift"}


def test_the_commands_are_understood(capsys: pytest.CaptureFixture[str]) -> None:
    """Every verb exists, with the options that it is shown with."""
    commands = [shlex.split(line) for line in re.findall(r"^\$ mlops (.*)$", PAGE, re.MULTILINE)]
    assert {words[0] for words in commands} == {"traffic", "promote"}
    for words in commands:
        with pytest.raises(SystemExit):  # argparse ends so after help
            main([words[0], "--help"])
        said = capsys.readouterr().out
        for option in (word for word in words if word.startswith("--")):
            assert option in said


def test_the_bounds_are_the_defaults() -> None:
    rows = dict(re.findall(r"^\| `(--max-[a-z-]+)` \| (\S+) \|", PAGE, re.MULTILINE))
    defaults = Bounds()
    assert {flag: float(told) for flag, told in rows.items()} == {
        flag: getattr(defaults, field) for flag, field in BOUNDS.items()
    }
    assert f"from {defaults.fewest} on; or {defaults.failures} in a row" in PAGE


@pytest.mark.parametrize("options", ["", " --numbers"])
@pytest.mark.parametrize("which", ["good", "bad"])
def test_the_tables_are_of_the_benchmark(which: str, options: str) -> None:
    _, _, table = PAGE.partition(f"<!-- python -m benchmarks.trial{options}: {which} -->\n")
    head, _, *rows = table.partition("\n\n")[0].splitlines()
    assert head == heads(which)
    assert len(rows) >= 3
    assert all(row.count("|") == head.count("|") for row in rows)


def test_the_benchmark_tries_as_the_server_does() -> None:
    """What fails every request is given three; what does alike goes on to the end."""
    scores = np.random.default_rng(1).beta(0.6, 2.0, 20_000)
    never = np.zeros(len(scores), dtype=np.bool_)
    found = tried(Candidate("raises", scores, ~never), scores, Way(10), 1)
    assert (found.given, found.seen, found.over) == (3, 0, True)
    found = tried(Candidate("slow", scores, never, 300.0), scores, Way(10), 1)
    assert (found.given, found.seen, found.over) == (2, 2, True)
    found = tried(Candidate("the same", scores, never), scores, WAYS[0], 1)
    assert (found.asked, found.over) == (MOST, False)
