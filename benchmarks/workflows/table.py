"""What came of the scenarios, as Markdown; and its place in a page."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from benchmarks.workflows.scenario import Run, Scenario
    from tests.live.actions.act import WorkflowRun

__all__ = ["BEGIN", "END", "Outcome", "completed", "difference", "placed", "table"]

BEGIN = "<!-- workflows: python -m benchmarks.workflows --into docs/delivery.md -->"
END = "<!-- end of workflows -->"


@dataclass(frozen=True)
class Outcome:
    """A scenario that was played: how each run ended, and which of its sentences are true.

    `runs` pairs what was expected with what came; `error` is why it could not be played to its end, and
    `lacking` what this machine has not got that it takes to play it at all.
    """

    scenario: Scenario
    runs: Sequence[tuple[Run, WorkflowRun]]
    held: dict[str, bool]
    seconds: float
    error: str = ""
    lacking: str = ""

    @property
    def as_expected(self) -> bool:
        """Whether every job ended as it has to, and everything held."""
        return not self.error and all(self.held.values()) and not any(_surprises(*one) for one in self.runs)


def table(outcomes: Iterable[Outcome]) -> Iterator[str]:
    """Its lines: by run the jobs that succeeded, failed and were skipped, then what held."""
    yield "| workflow | scenario | succeeded | failed | skipped | afterwards |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for outcome in outcomes:
        if outcome.lacking:
            yield f"{_head(outcome)} not played: {outcome.lacking} |"
            continue
        cells = [
            "; then ".join(_those(ended, state) for _, ended in outcome.runs)
            for state in ("success", "failure", "skipped")
        ]
        afterwards = [one if true else f"NOT: {one}" for one, true in outcome.held.items()]
        afterwards += [f"UNEXPECTED: {one}" for run in outcome.runs for one in _surprises(*run)]
        afterwards += [f"BROKEN OFF: {outcome.error}"] if outcome.error else []
        yield f"{_head(outcome)} {' | '.join([*cells, '; '.join(afterwards)])} |"


def completed(lines: Sequence[str], outcomes: Iterable[Outcome], page: str) -> list[str]:
    """The lines with the page's own for what this machine could not play: nothing is known against it."""
    heads = tuple(_head(one) for one in outcomes if one.lacking)
    of_page = {head: line for line in page.splitlines() for head in heads if line.startswith(head)}
    return [next((of_page[head] for head in of_page if line.startswith(head)), line) for line in lines]


def _head(outcome: Outcome) -> str:
    workflows = dict.fromkeys(run.workflow for run in outcome.scenario.runs)
    return f"| {', '.join(workflows)} | {outcome.scenario.name} |"


def _those(ended: WorkflowRun, state: str) -> str:
    return ", ".join(sorted(job for job, found in ended.states.items() if found == state)) or "-"


def _surprises(run: Run, ended: WorkflowRun) -> list[str]:
    """Jobs that ended otherwise than they have to."""
    expected = dict.fromkeys(ended.states, "success") | dict.fromkeys(run.failed, "failure")
    expected |= dict.fromkeys(run.skipped, "skipped")
    astray = {job for job in expected if ended.states.get(job) != expected[job]}
    said = [f"{job} ended as {ended.states.get(job, 'no job')}" for job in sorted(astray)]
    if (ended.exit_code == 0) != (not run.failed):
        said.append(f"act's exit code is {ended.exit_code}")
    return said


def placed(page: str, lines: Sequence[str]) -> str:
    """The page with the table between its markers."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"the page has no place for the table: {BEGIN} … {END}")
    return "\n".join([f"{head}{BEGIN}", "", *lines, "", f"{END}{tail}"])


def difference(page: str, lines: Sequence[str]) -> list[str]:
    """How the page's table differs from this one, as `diff -u` has it."""
    new = placed(page, lines).splitlines()
    return list(difflib.unified_diff(page.splitlines(), new, "the page", "found", lineterm="", n=0))
