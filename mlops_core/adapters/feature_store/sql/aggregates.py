"""Features as SQL: what is computed once an event, and what is aggregated of the events a spine row sees."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, assert_never

from mlops_core.adapters.feature_store.sql.conditions import condition
from mlops_core.adapters.feature_store.sql.events import NEVER, double, in_micros
from mlops_core.adapters.feature_store.sql.limbs import (
    split_as_float,
    spread_limbs,
    spread_texts,
    sum_limbs,
)
from mlops_core.domain.features import (
    ColumnFeature,
    Count,
    CountDistinct,
    First,
    Last,
    Latest,
    Max,
    Mean,
    Min,
    Since,
    Span,
    StdDev,
    Sum,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mlops_core.adapters.feature_store.sql.dialect import Dialect
    from mlops_core.adapters.feature_store.sql.events import EventColumn, Events
    from mlops_core.adapters.feature_store.sql.limbs import Limbs
    from mlops_core.domain.features import AnyFeature, Feature

    Single = Count | Sum | Mean | Min | Max | First | Last | Since | Span

__all__ = ["Aggregates", "split_floats", "spread_parts"]

_MICROS_PER_DAY = "8.64e10"
_LARGE = 2.0**950
_SCALED = 60  # so that as many as 2**60 large values add up within the range of floats


def split_floats(features: Iterable[AnyFeature], events: Events) -> list[str]:
    """The SQL columns that are split into limbs as floats: `Events.magnitudes` must have them."""
    found = [
        column.name
        for one in features
        if isinstance(one, Sum | Mean | StdDev)
        for column in (events.columns[one.column],)
        if split_as_float(column, spread=isinstance(one, StdDev))
    ]
    return list(dict.fromkeys(found))


class Aggregates:
    """The texts for a set of features.

    `of_rows` are columns computed from one event, `of_keys` those computed from them or from all events of a
    key, `values` the aggregates; each is a list of `expression AS name`. `reach` is a condition that leaves
    out pairs of spine row and event that no feature looks at, with an AND before it, or empty.
    """

    def __init__(self, events: Events, features: Sequence[AnyFeature], dialect: Dialect) -> None:
        self._events = events
        self._dialect = dialect
        self._rows: dict[str, str] = {}
        self._keys: dict[str, str] = {}
        aggregates = [one for one in features if not isinstance(one, Latest)]
        self.values = [
            f"{text} AS f{number}{suffix}"
            for number, one in enumerate(aggregates)
            for suffix, text in self._aggregated(one).items()
        ]
        self.of_rows = [f"{text} AS {name}" for text, name in self._rows.items()]
        self.of_keys = [f"{text} AS {name}" for text, name in self._keys.items()]
        self.reach = _reach(aggregates)

    def _row(self, prefix: str, text: str) -> str:
        """The name of a column computed from one event, the same for the same text."""
        return self._rows.setdefault(text, f"{prefix}{len(self._rows)}")

    def _key(self, prefix: str, text: str) -> str:
        return self._keys.setdefault(text, f"{prefix}{len(self._keys)}")

    def _conditions(self, feature: Feature) -> list[str]:
        columns = self._events.columns
        texts = [condition(one, columns[one.column], self._dialect) for one in feature.conditions]
        return [self._row("w", text) for text in texts]

    def _aggregated(self, feature: Single | CountDistinct | StdDev) -> dict[str, str]:
        """The aggregates of one feature, by the suffix of their names."""
        offset = in_micros(feature.offset)
        meets = [*([f"age >= {offset}"] if offset else []), *self._conditions(feature)]
        if feature.window is not None:
            meets.append(f"age < {offset + in_micros(feature.window)}")
        if isinstance(feature, StdDev):
            return self._spread(feature, _filter(meets))
        if isinstance(feature, CountDistinct):
            return {"": self._distinct(feature, meets)}
        return {"": self._single(feature, _filter(meets))}

    def _single(self, feature: Single, where: str) -> str:
        match feature:
            case Count():
                return f"count(age){where}"
            case Sum():
                return f"coalesce({self._sum(feature, where)}, CAST(0 AS DOUBLE))"
            case Mean():
                return self._mean(feature, where)
            case Min() | Max():
                return f"CAST({feature.kind}({self._column(feature).name}){where} AS DOUBLE)"
            case First() | Last():
                return self._edge(feature, where)
            case Since(event="previous"):
                return f"CAST({self._dialect.second_least('age', where)} AS DOUBLE) / {_MICROS_PER_DAY}"
            case Since():
                edge = "min" if feature.event == "last" else "max"
                return f"CAST({edge}(age){where} AS DOUBLE) / {_MICROS_PER_DAY}"
            case Span():
                return f"CAST(max(age){where} - min(age){where} AS DOUBLE) / {_MICROS_PER_DAY}"
        assert_never(feature)

    def _column(self, feature: ColumnFeature) -> EventColumn:
        return self._events.columns[feature.column]

    def _distinct(self, feature: CountDistinct, meets: list[str]) -> str:
        column = self._column(feature).name
        events = self._events
        if events.replaced or (events.recorded and feature.offset):
            return f"count(DISTINCT {column}){_filter(meets)}"
        counted = " AND ".join([f"{column} IS NOT NULL", *self._conditions(feature)])
        offset = in_micros(feature.offset)
        at = f"greatest(v, t + {offset})" if offset else "v"
        later = (
            f"min(CASE WHEN {counted} THEN {at} END) OVER (PARTITION BY {events.key_columns}, {column} "
            "ORDER BY t DESC, v DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
        )
        until = self._key("u", f"CASE WHEN {counted} THEN coalesce({later}, {NEVER}) END")
        return f"count(age){_filter([f'{until} > moment', *meets])}"

    def _edge(self, feature: First | Last, where: str) -> str:
        column = self._column(feature).name
        first = isinstance(feature, First)
        written = "created, " if self._events.created else ""
        order = f"t, {written}{column} NULLS {'LAST' if first else 'FIRST'}"
        number = f"row_number() OVER (PARTITION BY {self._events.key_columns} ORDER BY {order})"
        value = f"CAST({column} AS DOUBLE)"
        return self._dialect.value_at("min" if first else "max", value, self._key("s", number), where)

    def _sum(self, feature: Sum, where: str) -> str:
        column = self._column(feature)
        if column.kind == "float":
            return f"({self._float_sum(column, where)})"
        return self._whole_sum(column, where)

    def _mean(self, feature: Mean, where: str) -> str:
        column = self._column(feature)
        count = f"nullif(count({column.name}){where}, 0)"
        if column.kind == "float":  # where the sum leaves the range of floats, the mean does not
            scaled = _SCALED if self._events.magnitudes[column.name][1] > _LARGE else 0
            total = self._float_sum(column, where, scaled)
            return f"({total}) / {count}{f' * {double(2.0**scaled)}' if scaled else ''}"
        return f"{self._whole_sum(column, where)} / {count}"

    def _whole_sum(self, column: EventColumn, where: str) -> str:
        if column.kind == "integer":
            return f"CAST({self._dialect.integer_sum(column.name, where)} AS DOUBLE)"
        return f"CAST(sum({column.name}){where} AS DOUBLE)"

    def _float_sum(self, column: EventColumn, where: str, scaled: int = 0) -> str:
        """The sum in units of 2**scaled, without brackets."""
        limbs = sum_limbs(column, self._events)
        sums = [
            self._dialect.integer_sum(self._row("l", text), where) for text in limbs.of_float(column.name)
        ]
        units = [double(math.ldexp(unit, -scaled)) for unit in limbs.units]
        return " + ".join(
            f"CAST({total} AS DOUBLE) * {unit}" for total, unit in zip(sums, units, strict=True)
        )

    def _spread(self, feature: StdDev, where: str) -> dict[str, str]:
        """The sums that a standard deviation is computed from, exactly; see `spread_parts`."""
        column = self._column(feature)
        limbs = spread_limbs(column, self._events)
        names = [self._row("l", text) for text in spread_texts(column, limbs)]
        products = [self._key("p", self._dialect.product(names[one], names[two])) for one, two in limbs.pairs]
        sums = [self._dialect.integer_sum(one, where) for one in (*names, *products)]
        texts = [f"count({names[0]}){where}", *sums]
        return dict(zip((f"_{part}" for part in spread_parts(limbs)), texts, strict=True))


def spread_parts(limbs: Limbs) -> list[str]:
    """What a standard deviation is made of: a count of values, sums of their limbs and of their products."""
    places = [str(place) for place in range(limbs.count)]
    return ["n", *places, *(f"{one}_{two}" for one, two in limbs.pairs)]


def _filter(conditions: Sequence[str]) -> str:
    return f" FILTER (WHERE {' AND '.join(conditions)})" if conditions else ""


def _reach(features: Sequence[Feature]) -> str:
    offsets = [in_micros(one.offset) for one in features]
    reaches = [
        offset + in_micros(one.window)
        for one, offset in zip(features, offsets, strict=True)
        if one.window is not None
    ]
    nearest = f" AND spine.moment - e.t >= {min(offsets)}" if min(offsets) else ""
    farthest = f" AND spine.moment - e.t < {max(reaches)}" if len(reaches) == len(features) else ""
    return nearest + farthest
