"""A schedule as GitHub takes it: days of the week from 0 to 6, and five minutes between two runs.

Source: https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#schedule
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from mlops_core.errors import BadInput
from mlops_core.exporters.github_actions.text import scalar

if TYPE_CHECKING:
    from mlops_core.domain.pipeline import Schedule

__all__ = ["schedule_of"]

_SHORTEST = 5  # minutes
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


def schedule_of(schedule: Schedule) -> list[str]:
    """The lines of the trigger.

    Raises `BadInput` for runs that follow one another in less than five minutes: GitHub leaves these out.
    """
    fields = schedule.cron.split()
    _check_pace(schedule.cron, _times(fields[0], 59), _times(fields[1], 23))
    if _has_seven(fields[4]):  # Sunday, which GitHub knows as 0 alone
        fields[4] = ",".join(map(str, sorted({day % 7 for day in _times(fields[4], 7)})))
    lines = ["  schedule:", f"    - cron: {scalar(' '.join(fields))}"]
    return [*lines, f"      timezone: {scalar(schedule.timezone)}"] if schedule.timezone != "UTC" else lines


def _check_pace(cron: str, minutes: set[int], hours: set[int]) -> None:
    ordered = sorted(minutes)
    gaps = [later - earlier for earlier, later in pairwise(ordered)]
    if any((hour + 1) % 24 in hours for hour in hours):
        gaps.append(ordered[0] + 60 - ordered[-1])
    if gaps and min(gaps) < _SHORTEST:
        raise BadInput(
            f"schedule {cron!r}: runs would follow one another after {min(gaps)} min, and GitHub begins one "
            f"every {_SHORTEST} min at most: name fewer minutes, such as */{_SHORTEST}"
        )


def _has_seven(field: str) -> bool:
    return any(part.partition("/")[0].endswith("7") for part in field.split(","))


def _times(field: str, most: int) -> set[int]:
    """What a field names; `most` is what * goes up to."""
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        ends = [0, most] if span == "*" else [_number(word) for word in span.split("-")]
        found.update(range(ends[0], ends[-1] + 1, int(step or 1)))
    return found


def _number(word: str) -> int:
    return int(word) if word.isdigit() else _DAYS.index(word.upper())
