"""The table of docs/serving.md: what callers see of a server during swaps, stops and kills.

Run from the repository's root; wrk sends the requests of the swaps (Debian: apt-get install wrk)::

    python -m benchmarks.serving_faults     # about ten seconds
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.serving_faults.stops import killed, stopped, stopped_at_work
from benchmarks.serving_faults.swaps import swaps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.serving_faults.stops import Stopped

__all__ = ["table"]

HEAD = (
    "| what happened | requests | answered | failed | and |",
    "| --- | ---: | ---: | ---: | --- |",
)


def table(folder: Path) -> Iterator[str]:
    """Its lines; scenarios have a folder each."""
    yield from HEAD
    for number, row in enumerate((_swaps, _stopped, _at_work, _killed)):
        place = folder / str(number)
        place.mkdir()
        yield row(place)


def _swaps(folder: Path) -> str:
    found = swaps(folder, 40)
    failed = found.refused + found.errors
    return (
        f"| {found.swaps} swaps under `wrk` | {found.requests:,} | {found.requests - failed:,} | {failed} "
        f"| {len(found.seen)} versions answered, {found.older} times an older one than before |"
    )


def _stopped(folder: Path) -> str:
    return _stop(folder, stopped, "SIGTERM, drained: 8 callers are sent away")


def _at_work(folder: Path) -> str:
    return _stop(folder, stopped_at_work, "SIGTERM, no drain: 8 slow requests under way")


def _stop(folder: Path, scenario: Callable[[Path], Stopped], name: str) -> str:
    found = scenario(folder)
    late = f", {found.late} more answered when no longer ready" if found.late else ""
    return (
        f"| {name} | {found.sent:,} | {found.answered:,} | {found.broken + found.refused} "
        f"| exit code {found.exit_code}, {found.logged:,} lines in the log{late} |"
    )


def _killed(folder: Path) -> str:
    found = killed(folder)
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(found.broken.items()))
    return (
        f"| SIGKILL: 8 callers | {found.sent:,} | {found.answered:,} | {sum(found.broken.values())} "
        f"| {kinds}; {len(found.damaged)} files changed, the next server answers "
        f"{'the same' if found.same else 'otherwise'} |"
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        for line in table(Path(temporary)):
            print(line)
            sys.stdout.flush()
