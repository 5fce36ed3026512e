"""Features that suit the columns: how often, how much, how varied, how long ago; and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlops_core.definitions import Count, CountDistinct, Mean, Since, Span, Sum, Where, days
from mlops_core.scaffold.names import name_from, unlike

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlops_core.domain.features import AnyFeature
    from mlops_core.scaffold.look import Column, Look

__all__ = ["Features", "features_of", "windows"]

_MOST_NUMBERS, _MOST_KINDS = 4, 3
_MOST_VALUES = 1_000  # different ones that a column of categories has


@dataclass(frozen=True)
class Features:
    """Features, reasons by the first of each group, what was left out and why, names of those that age."""

    features: tuple[AnyFeature, ...]
    reasons: dict[Any, str]
    left_out: tuple[str, ...]
    aging: tuple[str, ...]


@dataclass
class _List:
    """Features in the making: each gets a name that nothing else has."""

    taken: set[str]
    features: list[AnyFeature] = field(default_factory=list)
    reasons: dict[Any, str] = field(default_factory=dict)

    def name(self, wanted: str) -> str:
        found = unlike(wanted, self.taken)
        self.taken.add(found)
        return found

    def add(self, why: str, many: Iterable[AnyFeature]) -> None:
        start = len(self.features)
        self.features += many
        if len(self.features) > start:
            self.reasons[self.features[start]] = why


def windows(horizon: int, span: int) -> tuple[int, ...]:
    """Days of windows: a third of the horizon, the horizon and twice it, as far as the data reach back."""
    found = sorted({max(1, round(horizon / 3)), horizon, 2 * horizon})
    return tuple(one for one in found if one < span) or (1,)


def features_of(
    look: Look, used: tuple[str, ...], event_id: str | None, *, time: str, horizon: int
) -> Features:
    """Features of the columns that nothing else uses; `used` are the key and the times."""
    first, last = look.bounds(time)
    lately = windows(horizon, (last - first).days)
    free = [one for one in look.columns.values() if one.name not in (*used, event_id)]
    numbers = [one for one in free if one.is_number and one.distinct > 1 and not one.named_as_id]
    truths = [one for one in free if one.kind == "boolean" and one.distinct > 1]
    kinds = [one for one in free if _tells_apart(one)]
    made = _List({*look.columns, "event_timestamp", "split", "churned"} - {"events"})
    _often(made, look, time, lately)
    for one in numbers[:_MOST_NUMBERS]:
        _much(made, one, horizon)
    for one in truths[:_MOST_KINDS]:
        name = made.name(f"{name_from(one.name, 'flag')}_true")
        made.add(f"How many events have {one.name}.", [Count(name, where=(Where(one.name, "==", True),))])
    for one in kinds[:_MOST_KINDS]:
        name = made.name(f"{name_from(one.name, 'kind')}_distinct")
        made.add(f"How varied: {one.distinct:,} different in all.", [CountDistinct(name, one.name)])
    since = made.name("days_since_first")
    made.add(
        "How long ago, and for how long.",
        [
            Since(made.name("days_since_last"), event="last"),
            Since(since, event="first"),
            Span(made.name("days_active")),
        ],
    )
    chosen = [*numbers[:_MOST_NUMBERS], *truths[:_MOST_KINDS], *kinds[:_MOST_KINDS]]
    left = tuple(f"{one.name}: {_why_not(one)}" for one in free if one not in chosen)
    return Features(tuple(made.features), made.reasons, left, (since,))


def _often(made: _List, look: Look, time: str, lately: tuple[int, ...]) -> None:
    names = [made.name("events"), *(made.name(f"events_{one}d") for one in lately)]
    made.add(
        "How often: in all, and lately (windows of about a third of the horizon, the horizon, twice it).",
        [Count(names[0]), *(Count(n, window=days(d)) for n, d in zip(names[1:], lately, strict=True))],
    )
    if look.columns[time].kind == "date":
        made.add(
            "Days with an event: several on one day count once.",
            [CountDistinct(made.name("event_days"), time)],
        )


def _much(made: _List, one: Column, horizon: int) -> None:
    stem = name_from(one.name, "number")
    made.add(
        f"How much {one.name}: {one}.",
        [
            Sum(made.name(f"{stem}_sum"), one.name),
            Sum(made.name(f"{stem}_sum_{horizon}d"), one.name, window=days(horizon)),
            Mean(made.name(f"{stem}_mean"), one.name),
        ],
    )


def _tells_apart(one: Column) -> bool:
    fit = one.kind == "text" or (one.kind == "integer" and one.named_as_id)
    return fit and 1 < one.distinct <= min(_MOST_VALUES, one.rows / 2)


def _why_not(one: Column) -> str:
    if one.kind is None:
        return "empty, or of a type that no definition reads"
    if one.distinct <= 1:
        return "the same in every row"
    if one.is_time:
        return "another time"
    if one.is_number and not one.named_as_id:
        return f"the first {_MOST_NUMBERS} columns of numbers are enough to begin with"
    if one.kind == "boolean":
        return f"the first {_MOST_KINDS} yes-or-no columns are enough to begin with"
    if one.distinct > min(_MOST_VALUES, one.rows / 2):
        return f"{one.distinct:,} different values tell single rows apart, not kinds"
    return f"the first {_MOST_KINDS} columns of categories are enough to begin with"
