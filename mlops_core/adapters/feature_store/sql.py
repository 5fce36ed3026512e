"""Point-in-time SQL, as text: one range join per set of events, all features in one pass.

Instants and ages are integers of microseconds, so no engine's time zone has a say, and every name in the SQL
is ours (features are `f0`, `f1`, … in order), so no column name can collide or need quoting. The dialect is
what DuckDB and Spark SQL share. Two relations are given:

- `spine (row_id, k, moment)`: the rows asked for, `row_id` counting them from 0, `moment` never null;
- the events `(k, t, created, c0, c1, …)`: key, event and created timestamp, and the columns read.

**Visibility.** An event is visible from `v` on: `t`, or the later of `t` and `created` when it must have been
recorded. So `spine LEFT JOIN events ON k = k AND v <= moment` has exactly what a row may see, a row without
events once; pairs stream into the aggregation and are never stored, which keeps hot keys cheap in memory.

**Distinct values** would need a set per row and window. Instead each event is given the instant `until` which
it stands for its value: up to the first moment at which an event of the same key and value with a later
(t, v) is visible. At any moment exactly one event stands for each value seen so far, the latest one, and the
value lies in a window if and only if that event does. So one count serves, whatever the window.

**Sums of floats** depend on the order of addition, which threads do not keep. Each value is split into two
integers, its multiples of a unit and what remains in units of 2**-52 of that; integers add up exactly in any
order. The unit follows from the column's greatest magnitude `m`, so a sum is exact to `m * 2**-105` a value
(and to 2**-1012, where doubles end).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlops_core.domain.features import AnyFeature, Count, CountDistinct, Max, Mean, Min, Since, Span, Sum

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

__all__ = ["Events", "features_query", "in_micros", "labels_query", "magnitudes_query", "spine_query"]

_MICROS_PER_DAY = "8.64e10"
_NEVER = "9223372036854775807"
_LONGEST = 400_000_000_000_000_000  # microseconds; longer than from year 1 to 9999
_LIMB = 2.0**-52


@dataclass(frozen=True, kw_only=True)
class Events:
    """Events as SQL sees them.

    `relation` is the text of a FROM item, `recorded` whether `created` bounds visibility. `columns` is the
    SQL column by its name in the source; `magnitudes` the greatest absolute value of those SQL columns that
    are floats and summed.
    """

    relation: str
    recorded: bool
    columns: Mapping[str, str] = field(default_factory=dict)
    magnitudes: Mapping[str, float] = field(default_factory=dict)

    @property
    def visible_from(self) -> str:
        """The instant from which an event may be seen, as an expression."""
        return "greatest(t, created)" if self.recorded else "t"


def in_micros(span: timedelta) -> int:
    """Whole microseconds, at most as many as there are between any two instants."""
    return min((span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds, _LONGEST)


def spine_query(events: Events) -> str:
    """Keys by the moments of the relation `moments (moment)`: (k, moment), sorted by moment and key."""
    return f"""
        WITH firsts AS (
            SELECT k, min({events.visible_from}) AS first_seen FROM {events.relation} GROUP BY k
        )
        SELECT firsts.k AS k, moments.moment AS moment
        FROM moments JOIN firsts ON firsts.first_seen <= moments.moment
        ORDER BY moment, k
    """  # noqa: S608 - every name in it is ours


def labels_query(events: Events, horizon: timedelta) -> str:
    """(row_id, label): 0 where the key has an event in (moment, moment + horizon], else 1; by row_id."""
    return f"""
        SELECT spine.row_id AS row_id, CASE WHEN count(e.t) > 0 THEN 0 ELSE 1 END AS label
        FROM spine LEFT JOIN {events.relation} AS e
            ON spine.k = e.k AND e.t > spine.moment AND e.t - spine.moment <= {in_micros(horizon)}
        GROUP BY spine.row_id
        ORDER BY row_id
    """  # noqa: S608 - every name in it is ours


def magnitudes_query(events: Events, columns: Sequence[str]) -> str:
    """One row with the greatest absolute value of each of the SQL columns, under their names."""
    largest = ", ".join(f"max(abs({one})) AS {one}" for one in columns)
    return f"SELECT {largest} FROM {events.relation}"  # noqa: S608 - every name in it is ours


def features_query(events: Events, features: Sequence[AnyFeature]) -> str:
    """(row_id, f0, f1, …): the features of every spine row, sorted by row_id."""
    counted = sorted({_column(one, events) for one in features if isinstance(one, CountDistinct)})
    prepared = ", ".join(
        [
            "*",
            f"{events.visible_from} AS v",
            *(part for one in events.magnitudes for part in _limbs(one, events)),
        ]
    )
    untils = "".join(f", {_until(one)} AS until_{one}" for one in counted)
    values = ", ".join(f"{_value(one, events)} AS f{number}" for number, one in enumerate(features))
    return f"""
        WITH seen AS (SELECT {prepared} FROM {events.relation}),
        events AS (SELECT *{untils} FROM seen),
        pairs AS (
            SELECT spine.row_id, spine.moment, spine.moment - events.t AS age, events.*
            FROM spine LEFT JOIN events
                ON spine.k = events.k AND events.v <= spine.moment{_oldest(features)}
        )
        SELECT row_id, {values} FROM pairs GROUP BY row_id ORDER BY row_id
    """  # noqa: S608 - every name in it is ours


def _oldest(features: Sequence[AnyFeature]) -> str:
    """Leaves out what no window reaches."""
    windows = [one.window for one in features if one.window is not None]
    if len(windows) < len(features):
        return ""
    return f" AND spine.moment - events.t < {in_micros(max(windows))}"


def _until(column: str) -> str:
    return (
        f"CASE WHEN {column} IS NULL THEN v ELSE coalesce(min(v) OVER (PARTITION BY k, {column} "
        f"ORDER BY t, v ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING), {_NEVER}) END"
    )


def _limbs(column: str, events: Events) -> list[str]:
    unit = _unit(events.magnitudes[column])
    high = f"round({column} / {_double(unit)})"
    low = f"round(({column} - {high} * {_double(unit)}) / {_double(unit * _LIMB)})"
    return [f"CAST({high} AS BIGINT) AS high_{column}", f"CAST({low} AS BIGINT) AS low_{column}"]


def _unit(magnitude: float) -> float:
    # A power of two, so that dividing by it is exact; from 2**-960 on, so that the lower unit is as well.
    return math.ldexp(1.0, max(math.frexp(magnitude)[1] - 52, -960))


def _double(value: float) -> str:
    # 17 digits say a double exactly, and the exponent says that it is one.
    return f"{value:.16e}"


def _value(feature: AnyFeature, events: Events) -> str:
    within = "" if feature.window is None else f"age < {in_micros(feature.window)}"
    where = f" FILTER (WHERE {within})" if within else ""
    match feature:
        case Count():
            return f"count(age){where}"
        case CountDistinct():
            standing = f"until_{_column(feature, events)} > moment"
            return f"count(age) FILTER (WHERE {' AND '.join(filter(None, (standing, within)))})"
        case Sum():
            return f"coalesce({_sum(_column(feature, events), events, where)}, CAST(0 AS DOUBLE))"
        case Mean():
            column = _column(feature, events)
            return f"{_sum(column, events, where)} / nullif(count({column}){where}, 0)"
        case Min() | Max():
            return f"CAST({feature.kind}({_column(feature, events)}){where} AS DOUBLE)"
        case Since():
            edge = "min" if feature.event == "last" else "max"
            return f"CAST({edge}(age){where} AS DOUBLE) / {_MICROS_PER_DAY}"
        case Span():
            return f"CAST(max(age){where} - min(age){where} AS DOUBLE) / {_MICROS_PER_DAY}"


def _sum(column: str, events: Events, where: str) -> str:
    if column not in events.magnitudes:
        return f"CAST(sum({column}){where} AS DOUBLE)"
    unit = _unit(events.magnitudes[column])
    high, low = (f"CAST(sum({part}_{column}){where} AS DOUBLE)" for part in ("high", "low"))
    return f"({high} * {_double(unit)} + {low} * {_double(unit * _LIMB)})"


def _column(feature: CountDistinct | Sum | Mean | Min | Max, events: Events) -> str:
    return events.columns[feature.column]
