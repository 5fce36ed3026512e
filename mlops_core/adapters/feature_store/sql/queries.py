"""Point-in-time SQL, as text: one range join per set of events, all features in one pass.

Instants and ages are integers of microseconds, so no engine's time zone has a say, and every name in the SQL
is ours (features are `f0`, `f1`, … in order), so no column name can collide or need quoting. What DuckDB and
Spark SQL do not share is in `dialect.Dialect`. Two relations are given:

- `spine (row_id, k0, k1, …, moment)`: the rows asked for, `row_id` counting them from 0, `moment` never null;
- the events `(k0, k1, …, t, created, id, c0, c1, …)`: keys, event and created timestamp, event id and
  columns read; see `events.Events` for which of them there are.

**Visibility.** An event is visible from `v` on: `t` plus the source's delay, or the later of that and
when it must have been recorded. Rows of one event id are versions of one event; each is visible up to `gone`,
when the next one was recorded. So `spine LEFT JOIN events ON k = k AND v <= moment AND gone > moment` has
exactly what a row may see, a row without events once; pairs stream into the aggregation and are never stored,
which keeps hot keys cheap in memory.

**Distinct values** would need a set per row and window. Instead each event is given the instant `until` which
it stands for its value: up to the first moment at which an event of the same key and value with a later
(t, v) is visible. At any moment exactly one event stands for each value seen so far, the latest one, and the
value lies in a window if and only if that event does. So one count serves, whatever the window. Events that
do not meet a feature's conditions stand for nothing. Where events go again, or an offset makes an event's
place in the window and its visibility two things, there is no such instant, and sets it must be.

**Sums of floats** depend on the order of addition, which threads do not keep. So each value is split into
integers (limbs, see `limbs`), which add up exactly in any order, and the sum is rounded at the end.

**Standard deviations** are made of the exact sums of such limbs and of their products; `answers` makes the
difference of squares of them, which no float could hold, in integers of any size.

**The first and the last** event by (t, created, value) have the least and the greatest number in that order,
given to each event once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_core.adapters.feature_store.sql.aggregates import Aggregates
from mlops_core.adapters.feature_store.sql.events import in_micros
from mlops_core.domain.features import Latest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from mlops_core.adapters.feature_store.columns import FeatureGroup
    from mlops_core.adapters.feature_store.sql.dialect import Dialect
    from mlops_core.adapters.feature_store.sql.events import Events
    from mlops_core.domain.features import AnyFeature

__all__ = [
    "features_query",
    "labels_query",
    "latest_query",
    "magnitudes_of",
    "magnitudes_query",
    "spine_query",
]


def spine_query(events: Events) -> str:
    """Keys by the moments of the relation `moments (moment)`: (k0, …, moment), sorted by moment and keys."""
    keys = events.key_columns
    if events.replaced:  # who was seen once need not be seen ever after
        return f"""
            SELECT DISTINCT {keys}, moment
            FROM moments AS spine JOIN {events.rows} AS e ON {events.seen}
            ORDER BY moment, {keys}
        """  # noqa: S608 - every name in it is ours
    return f"""
        WITH firsts AS (SELECT {keys}, min(v) AS first_seen FROM {events.rows} AS e GROUP BY {keys})
        SELECT {keys}, moment FROM moments JOIN firsts ON firsts.first_seen <= moments.moment
        ORDER BY moment, {keys}
    """  # noqa: S608 - every name in it is ours


def labels_query(events: Events, horizon: timedelta) -> str:
    """(row_id, label): 0 where the key has an event in (moment, moment + horizon], else 1; by row_id."""
    return f"""
        SELECT spine.row_id AS row_id, CASE WHEN count(e.t) > 0 THEN 0 ELSE 1 END AS label
        FROM spine LEFT JOIN {events.rows} AS e
            ON {events.same_key("spine", "e")}
            AND e.t > spine.moment AND e.t - spine.moment <= {in_micros(horizon)}
        GROUP BY spine.row_id
        ORDER BY row_id
    """  # noqa: S608 - every name in it is ours


def magnitudes_query(events: Events, columns: Sequence[str]) -> str:
    """One row: for each of the SQL columns the least absolute value but 0, and the greatest one."""
    sizes = [f"abs(CAST({one} AS DOUBLE))" for one in columns]
    both = ", ".join(f"min(nullif({size}, 0)), max({size})" for size in sizes)
    return f"SELECT {both} FROM {events.known} AS e"  # noqa: S608 - every name in it is ours


def magnitudes_of(columns: Sequence[str], row: Sequence[float | None]) -> dict[str, tuple[float, float]]:
    """`Events.magnitudes` from the row of `magnitudes_query`; null, where there are no values, is 0."""
    sizes = [size or 0.0 for size in row]
    return dict(zip(columns, zip(sizes[::2], sizes[1::2], strict=True), strict=True))


def features_query(events: Events, features: Sequence[AnyFeature], dialect: Dialect) -> str:
    """(row_id, f0, f1, …): the aggregates of every spine row, sorted by row_id.

    A standard deviation `f2` has its parts in its place, `f2_n`, `f2_0`, …; see `answers.answered`.
    """
    texts = Aggregates(events, features, dialect)
    return f"""
        WITH seen AS (SELECT {", ".join(["*", *texts.of_rows])} FROM {events.rows} AS one),
        e AS (SELECT {", ".join(["*", *texts.of_keys])} FROM seen),
        pairs AS (
            SELECT spine.row_id, spine.moment, spine.moment - e.t AS age, e.*
            FROM spine LEFT JOIN e ON {events.same_key("spine", "e")} AND {events.seen}{texts.reach}
        )
        SELECT row_id, {", ".join(texts.values)} FROM pairs GROUP BY row_id ORDER BY row_id
    """  # noqa: S608 - every name in it is ours


def latest_query(events: Events, group: FeatureGroup) -> str:
    """(row_id, f0, f1, …): the latest values of every spine row, sorted by row_id.

    Rows are numbered by (t, created); the newest one seen at a moment has the greatest number so far, in one
    pass over rows and moments in the order of time. Where versions go again there is no such pass, but a
    range join. What is found by its number alone is then fetched.
    """
    keys = events.key_columns
    order = "t, created" if events.created else "t"
    number = f"row_number() OVER (PARTITION BY {keys} ORDER BY {order})"
    oldest = "" if group.ttl is None else f" AND spine.moment - e.t <= {in_micros(group.ttl)}"
    values = ", ".join(
        f"{_newest(one, events)} AS f{place}"
        for place, one in enumerate(group.features)
        if isinstance(one, Latest)
    )
    return f"""
        WITH e AS (SELECT *, {number} AS number FROM {events.rows} AS one),
        {_newest_numbers(events)}
        SELECT spine.row_id AS row_id, {values}
        FROM spine JOIN newest ON spine.row_id = newest.row_id
        LEFT JOIN e ON {events.same_key("spine", "e")} AND newest.number = e.number{oldest}
        ORDER BY row_id
    """  # noqa: S608 - every name in it is ours


def _newest_numbers(events: Events) -> str:
    """The relation `newest (row_id, number)`, as part of a WITH clause."""
    if events.replaced:
        return f"""
        newest AS (
            SELECT spine.row_id AS row_id, max(e.number) AS number
            FROM spine LEFT JOIN e ON {events.same_key("spine", "e")} AND {events.seen}
            GROUP BY spine.row_id
        )"""  # noqa: S608 - every name in it is ours
    keys = events.key_columns
    # a window's default frame has all rows of the same instant: what is seen from T on is seen at T
    return f"""
        timeline AS (
            SELECT {keys}, v AS moment, number, CAST(NULL AS BIGINT) AS row_id FROM e
            UNION ALL SELECT {keys}, moment, CAST(NULL AS BIGINT) AS number, row_id FROM spine
        ),
        running AS (
            SELECT row_id, max(number) OVER (PARTITION BY {keys} ORDER BY moment) AS number FROM timeline
        ),
        newest AS (SELECT row_id, number FROM running WHERE row_id IS NOT NULL)"""  # noqa: S608 - all ours


def _newest(feature: Latest, events: Events) -> str:
    column = events.columns[feature.column]
    whole = column.kind in ("integer", "other")  # what is no number is a boolean: 0 or 1
    return f"CAST(e.{column.name} AS {'BIGINT' if whole else 'DOUBLE'})"
