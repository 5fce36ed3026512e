"""The tables of what the ways gave, as Markdown."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

from mlops_core.domain.digest import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from benchmarks.parity.found import Found
    from benchmarks.parity.result import Result

__all__ = ["Runs", "equal", "failures_table", "found_table", "times_table"]

Runs = dict[str, list[tuple["Result", "Result"]]]
"""By way: a first run on an empty state folder and a second one on the same, for each round."""

_SHOWN = 12  # digits of a digest


def equal(founds: Iterable[Found]) -> bool:
    """Whether all of it is the same."""
    first, *others = founds
    return all(one == first for one in others)


def found_table(runs: Runs) -> Iterator[str]:
    """What each way left, by digest, and whether it is all the same."""
    head = ("training set", "models", "evaluation", "version", "decision", "verdict", "release")
    yield from _head(["", *head])
    for way, rounds in runs.items():
        result, _ = rounds[0]
        found = result.found
        digests = [found.training_set, digest_of(found.models), found.evaluation, found.model]
        cells = [*digests, found.decision, result.verdict, found.release]
        yield _row(
            [way, *(f"`{(cell or '-')[:_SHOWN]}`" if cell != result.verdict else cell for cell in cells)]
        )
    same = equal(result.found for rounds in runs.values() for pair in rounds for result in pair)
    yield _row([f"equal: {'yes' if same else 'NO'}", *("" for _ in head)])


def times_table(runs: Runs, reference: str, tasks: int) -> Iterator[str]:
    """Seconds of first and second runs; what a task costs more than in the reference's second run."""
    yield from _head(["", "first run, s", "within stages, s", "second run, s", "more a task, s"])
    base = median(second.ran.seconds for _, second in runs[reference])
    for way, rounds in runs.items():
        first, second = ([pair[number].ran.seconds for pair in rounds] for number in (0, 1))
        stages = [pair[0].watched.seconds for pair in rounds]
        more = (median(second) - base) / tasks
        yield _row([way, _spread(first), _spread(stages), _spread(second), f"{more:.2f}"])


def failures_table(
    failures: Mapping[str, Mapping[str, Result]], expected: Mapping[str, set[str]]
) -> Iterator[str]:
    """By place and way: as the DAG foresees it, or what came instead."""
    ways = list(next(iter(failures.values())))
    yield from _head(["fails", "skipped", *ways])
    for place, results in failures.items():
        told = ", ".join(sorted(expected[place])) or "-"
        yield _row([place, told, *(_failure(result, place, expected[place]) for result in results.values())])


def _failure(result: Result, place: str, skipped: set[str]) -> str:
    ran, once = result.ran, set(result.watched.attempts.values()) <= {1}
    told = result.verdict == "failed" and ran.exit_code != 0 and once
    if told and ran.those("failed") == {place} and ran.those("skipped") == skipped:
        return "the same"
    return f"{result.verdict}: {result.ran.states}"


def _spread(seconds: Sequence[float]) -> str:
    if len(seconds) == 1:
        return f"{seconds[0]:.1f}"
    return f"{median(seconds):.1f} ({min(seconds):.1f} to {max(seconds):.1f})"


def _head(cells: Sequence[str]) -> Iterator[str]:
    yield _row(cells)
    yield _row(["---"] * len(cells))


def _row(cells: Sequence[Any]) -> str:
    return f"| {' | '.join(map(str, cells))} |"
