"""Every workflow, really run: each scenario by act on this machine, and what came of it as a table.

Run from the repository's root::

    python -m benchmarks.workflows                           # prints the table; about four minutes
    python -m benchmarks.workflows --only 'deliver: the w'   # those whose title has these words
    python -m benchmarks.workflows --into docs/delivery.md   # puts the table into a page
    python -m benchmarks.workflows --check docs/delivery.md  # compares it with the page's

The exit code is 1 when a job ended otherwise than it has to, when something did not hold afterwards, or when
the page has another table.

act runs in a copy of this checkout, what is not committed included. Jobs are processes with this Python's
libraries (MLOPS_INSTALLED=true) and the code of their checkout. Commands are the project's own, on state
folders that `mlops run` made of a small shop. Third-party actions are stubs (tests/live/actions), GitHub is a
fake on loopback that checks every request against GitHub's published schema (tests/github).

What act cannot show, and nothing here does:

- An environment's reviewers, wait timers and branches: a job with an environment just runs. What reviewers
  said is told to the fake. (`deployment: false` is taken out of the copy: act does not know it.)
- Concurrency groups, permissions of the token, time-outs, schedules, path filters.
- OIDC: no cloud is signed in to, nothing is signed. The stub of actions/attest looks for its files alone.
- GitHub itself: artifacts, the log's masking of secrets, required checks, pull requests of forks beyond the
  event that they send.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.workflows import of_ci, of_deliver, of_nightly, of_rollback, of_train
from benchmarks.workflows.checkout import ROOT, copy_of_this_checkout
from benchmarks.workflows.pythons import MissingPython
from benchmarks.workflows.states import States
from benchmarks.workflows.table import Outcome, completed, difference, placed, table
from benchmarks.workflows.world import World
from tests.github.fake import REPOSITORY, FakeGitHub

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.workflows.scenario import Scenario

__all__ = ["main", "scenarios"]

_AT_A_TIME = 3
_WORKFLOWS = (of_ci, of_train, of_deliver, of_nightly, of_rollback)


def main(words: Sequence[str]) -> int:
    """Play what is asked for; the exit code says whether everything came as it has to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.workflows", description=__doc__)
    parser.add_argument("--only", action="append", default=[], help="words of a title, such as 'ci:'")
    parser.add_argument("--into", type=Path, help="a page whose table is replaced")
    parser.add_argument("--check", type=Path, help="a page whose table has to be this one")
    parser.add_argument("--logs", type=Path, help="a folder for what the jobs said")
    given = parser.parse_args(words)
    if given.only and (given.into or given.check):
        parser.error("--only plays a part of the table, which is no table for a page")
    asked = [one for one in scenarios() if _wanted(one, given.only)]
    with tempfile.TemporaryDirectory() as folder:
        outcomes = _all(asked, Path(folder), given.logs)
    lines = list(table(outcomes))
    print("\n".join(lines))
    good = all(one.as_expected for one in outcomes)
    if given.into and good and not any(one.lacking for one in outcomes):
        given.into.write_text(placed(given.into.read_text(), lines))
    if given.check:
        page = given.check.read_text()
        differs = difference(page, completed(lines, outcomes, page))
        print("\n".join(differs), file=sys.stderr)
        good &= not differs
    return 0 if good else 1


def scenarios() -> Iterator[Scenario]:
    """All of them, in the order of the table."""
    for module in _WORKFLOWS:
        yield from module.scenarios()


def _wanted(scenario: Scenario, only: Sequence[str]) -> bool:
    return not only or any(words in scenario.title for words in only)


def _all(asked: Sequence[Scenario], folder: Path, logs: Path | None) -> list[Outcome]:
    base = copy_of_this_checkout(folder / "checkout", REPOSITORY)
    states = States(folder, base)
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        played = [
            pool.submit(_play, one, folder / str(number), states, base) for number, one in enumerate(asked)
        ]
        outcomes = []
        for one in played:
            outcomes.append(one.result())
            _tell(outcomes[-1], logs)
    return outcomes


def _play(scenario: Scenario, folder: Path, states: States, base: Path) -> Outcome:
    """Play it to its end, or to where it cannot go on."""
    folder.mkdir()
    home = states.copy(scenario.state, folder / "home")
    start, error, lacking = time.perf_counter(), "", ""
    held: dict[str, bool] = {}
    with FakeGitHub(repository=REPOSITORY) as github:
        github.told("/_reviews/*", [])  # it knows of act's runs too, and nobody has reviewed them
        world = World(folder, home, base, github, [])
        try:
            for run in scenario.runs:
                world.play(run)
            held = {sentence: bool(true(world)) for sentence, true in scenario.held.items()}
        except MissingPython as missing:
            lacking = str(missing)
        except (AssertionError, LookupError, ValueError, OSError) as broken:
            error = " ".join(f"{type(broken).__name__}: {broken}".split())[:500]
        held |= {"GitHub was asked as its schema has it": False} if github.complaints else {}
        error += "; ".join(github.complaints)[:500]
    runs = tuple(zip(scenario.runs, world.ended, strict=False))
    return Outcome(scenario, runs, held, time.perf_counter() - start, error, lacking)


def _tell(outcome: Outcome, logs: Path | None) -> None:
    """One line as it goes on; what the jobs said where it is of use."""
    word = "as expected" if outcome.as_expected else "NOT as expected"
    word = f"not played, {outcome.lacking}" if outcome.lacking else word
    print(f"{outcome.scenario.title}: {word}, {outcome.seconds:.0f} s", file=sys.stderr, flush=True)
    said = [
        f"--- {job}: {run.states[job]}\n{text}" for _, run in outcome.runs for job, text in run.logs.items()
    ]
    if logs is not None:
        logs.mkdir(parents=True, exist_ok=True)
        name = "".join(one if one.isalnum() else "-" for one in outcome.scenario.title)
        (logs / f"{name}.log").write_text("\n".join([*said, outcome.error]))


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main(sys.argv[1:]))
