"""What has to be said before a model can be described, and what the data suggest where it was not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlops_core.domain.value import Value
from mlops_core.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_core.scaffold.look import Column, Look

__all__ = ["Choice", "created_of", "key_of", "predict_of", "time_of"]

_RECORDED = re.compile(r"creat|record|insert|load|ingest|import|updat|_at_db|arriv|receiv", re.IGNORECASE)
_HAPPENED = re.compile(r"event|occur|happen|purchas|order|bought|when|date|time|day|_on$|_at$", re.IGNORECASE)
_PERSONAL = re.compile(
    r"customer|client|user|account|member|subscri|patient|device|machine|kunde|person", re.IGNORECASE
)


class Choice(Value):
    """One thing that has to be said: by which option, as what, and why; `given` says that it was.

    `values` are the words after the option; empty for nothing. `alternatives` could be said instead, each
    with a reason.
    """

    option: str
    values: tuple[str, ...]
    why: str
    alternatives: tuple[str, ...] = ()
    given: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        """As it is typed."""
        return (self.option, *self.values) if self.values else (f"--no-{self.option[2:]}",)


def time_of(look: Look, given: str | None) -> Choice:
    """When things happened. Raises `BadInput` when no column says so, or the one that was named does not."""
    times = [one for one in look.columns.values() if one.is_time]
    if given is not None:
        column = look.named(given, "--time")
        if not column.is_time:
            there = ", ".join(repr(one.name) for one in times) or "none"
            raise BadInput(
                f"--time {given}: expected timestamps, dates or ISO 8601 text (2024-03-31T23:15:00+02:00), "
                f"but it is {column}; columns that can be read as times: {there}"
            )
        _no_nulls(column, "--time", "when its event happened")
        return Choice(option="--time", values=(given,), why="as you said", given=True)
    fit = sorted((one for one in times if not one.nulls), key=_time_rank)
    if not fit:
        what = f"only {times[0].name!r}, which has nulls" if times else "none"
        raise BadInput(
            f"--time: {look.path} should have a column without nulls that says when each event happened, in "
            f"timestamps, dates or ISO 8601 text; there is {what}: add one, or mend it"
        )
    best = fit[0]
    why = f"{best}, and never null" + ("; the only column of times" if len(fit) == 1 else "")
    others = tuple(f"{one.name}: {one}" for one in fit[1:])
    return Choice(option="--time", values=(best.name,), why=why, alternatives=others)


def _time_rank(column: Column) -> tuple[bool, bool]:
    return bool(_RECORDED.search(column.name)), not _HAPPENED.search(column.name)


def key_of(look: Look, given: Sequence[str] | None, time: str) -> Choice:
    """Whom events belong to. Raises `BadInput` when no column says so, or those that were named do not."""
    if given:
        for name in given:
            column = look.named(name, "--key")
            if column.kind not in ("integer", "text"):
                raise BadInput(
                    f"--key {name}: expected integers or text, but it is {column}: name another column"
                )
            _no_nulls(column, "--key", "whose event it is")
        twice = [name for name in given if list(given).count(name) > 1]
        if twice or time in given:
            raise BadInput(f"--key: {(twice or [time])[0]!r} is named twice, or is the time: name each once")
        return Choice(option="--key", values=tuple(given), why="as you said", given=True)
    fit = [
        one
        for one in look.columns.values()
        if one.kind in ("integer", "text") and not one.nulls and 1 < one.distinct < look.rows
    ]
    fit = sorted((one for one in fit if _key_rank(one) < (True, True)), key=_key_rank)
    if not fit:
        raise BadInput(
            f"--key: no column of {look.path} looks as if it told whose event a row is (integers or text, "
            f"never null, named like an id, with several events each): name it; there are "
            f"{', '.join(map(repr, look.columns))}"
        )
    best = fit[0]
    why = f"{best.distinct:,} different, so {look.rows / best.distinct:.1f} events each, and never null"
    others = tuple(f"{one.name}: {one.distinct:,} different" for one in fit[1:4])
    return Choice(option="--key", values=(best.name,), why=why, alternatives=others)


def _key_rank(column: Column) -> tuple[bool, bool]:
    return not (_PERSONAL.search(column.name) and column.named_as_id), not (
        column.named_as_id or _PERSONAL.search(column.name)
    )


def created_of(look: Look, given: str | None, time: str, *, none: bool) -> Choice | None:
    """When events were recorded, where that is another time; None when nothing suggests that."""
    if none:
        return Choice(option="--created", values=(), why="as you said", given=True)
    if given is not None:
        column = look.named(given, "--created")
        if not column.is_time or given == time:
            raise BadInput(
                f"--created {given}: expected another column of times than --time {time}, but it is {column}"
                ": name when events were recorded, or give --no-created"
            )
        _no_nulls(column, "--created", "when its event was recorded")
        return Choice(option="--created", values=(given,), why="as you said", given=True)
    for one in look.columns.values():
        if one.is_time and not one.nulls and one.name != time and _RECORDED.search(one.name):
            share = look.never_before(one.name, time)
            if share >= 0.99:  # a few clocks are always wrong
                why = (
                    f"its name says so, and {share:.1%} of the rows have it at {time} or later: then "
                    "training sees an event only from when it was recorded on"
                )
                told = "--no-created: events count as known the moment they happened"
                return Choice(option="--created", values=(one.name,), why=why, alternatives=(told,))
    return None


def predict_of(look: Look, given: str | None, used: Sequence[str]) -> Choice:
    """What is predicted: "churn", or "sum:COLUMN"."""
    sums = [one.name for one in look.columns.values() if one.is_number and one.name not in used]
    sums = [name for name in sums if not look.columns[name].named_as_id]
    if given is None:
        others = tuple(f"sum:{name}: how much {name} an entity will have" for name in sums[:3])
        why = "who will have no event for a while: needs nothing but the events' times"
        return Choice(option="--predict", values=("churn",), why=why, alternatives=others)
    what, _, name = given.partition(":")
    if given != "churn" and (what != "sum" or not name):
        hint = f"such as sum:{sums[0]}" if sums else "of which there is none here"
        raise BadInput(f"--predict {given}: expected churn, or sum:COLUMN of a column of numbers ({hint})")
    if name and not look.named(name, "--predict sum").is_number:
        raise BadInput(
            f"--predict {given}: expected a column of numbers, but it is {look.columns[name]}"
            f"{f': there is {sums[0]!r}' if sums else ''}"
        )
    if name in used:
        raise BadInput(f"--predict {given}: {name!r} is the key or a time: name another column of numbers")
    return Choice(option="--predict", values=(given,), why="as you said", given=True)


def _no_nulls(column: Column, option: str, what: str) -> None:
    if column.nulls:
        raise BadInput(
            f"{option} {column.name}: every row has to say {what}, but {column.nulls:,} of {column.rows:,} "
            "have null: fill them in or remove these rows, then run again"
        )
