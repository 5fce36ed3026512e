"""Numbers split into integers (limbs), so that sums of them are exact and do not depend on their order.

A float is an integer multiple of its last bit. The limbs of a column are the places of a number system that
reaches from the first bit of its greatest value to the last bit of its least one, so no value loses anything,
whatever else the column holds: mostly two limbs, more where a column has very large and very small values.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_core.adapters.feature_store.sql.events import double

if TYPE_CHECKING:
    from mlops_core.adapters.feature_store.sql.events import EventColumn, Events

__all__ = ["Limbs", "split_as_float", "spread_limbs", "spread_texts", "sum_limbs"]

_SUM_BITS = 52
_SPREAD_BITS = 48  # products of two limbs add up to 127 bits over 2**31 events
_INTEGER_BITS = 32
_MANTISSA = 53
_LOWEST = -960  # what is below 2**-960 is rounded to that: far from where doubles end, all steps are exact
_WIDEST = 1000  # below it, no value divided by a unit leaves the range of doubles


@dataclass(frozen=True)
class Limbs:
    """`count` limbs of `bits` bits each, greatest first: the last one's unit is `unit`."""

    bits: int
    count: int
    unit: float

    @property
    def units(self) -> list[float]:
        """What one is worth in each limb."""
        return [math.ldexp(self.unit, self.bits * place) for place in reversed(range(self.count))]

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Limbs of which both can be other than zero in one value: 53 bits reach over three at most."""
        return [(one, two) for one in range(self.count) for two in range(one, min(one + 3, self.count))]

    def of_float(self, value: str) -> list[str]:
        """The limbs of a float, as expressions.

        Each is the value in its unit without what the limbs before it have. Both are whole numbers, or so
        large that they are anyway, and their difference is small: no step rounds but `round`.
        """
        wholes = [f"round({value} / {double(unit)})" for unit in self.units]
        found = [f"CAST({wholes[0]} AS BIGINT)"]
        for place in range(1, self.count):
            limb = f"{wholes[place]} - {wholes[place - 1]} * {double(2.0**self.bits)}"
            if self.bits * (place + 1) > _WIDEST:  # the last bit of what is as large lies in limbs before it
                large = math.ldexp(self.units[place - 1], _MANTISSA)
                limb = f"CASE WHEN abs({value}) < {double(large)} THEN {limb} ELSE 0 * {value} END"
            found.append(f"CAST({limb} AS BIGINT)")
        return found


def split_as_float(column: EventColumn, *, spread: bool) -> bool:
    """Whether the column is split as a float: those, and for their spread decimals beyond 64 bits."""
    return column.kind == "float" or (spread and column.kind == "decimal" and column.digits > 18)


def sum_limbs(column: EventColumn, events: Events) -> Limbs:
    """How a column of floats is split where it is added up."""
    return _limbs(*events.magnitudes[column.name], _SUM_BITS)


def spread_limbs(column: EventColumn, events: Events) -> Limbs:
    """How a column is split where its standard deviation is asked for."""
    if split_as_float(column, spread=True):
        return _limbs(*events.magnitudes[column.name], _SPREAD_BITS)
    return Limbs(_INTEGER_BITS, 2, 10.0**-column.scale)


def spread_texts(column: EventColumn, limbs: Limbs) -> list[str]:
    """The limbs of a column where its standard deviation is asked for, as expressions."""
    if split_as_float(column, spread=True):
        return limbs.of_float(f"CAST({column.name} AS DOUBLE)")
    whole = column.name
    if column.kind == "decimal":
        wide = f"CAST({whole} AS DECIMAL(38, {column.scale}))"
        whole = f"CAST({wide} * CAST({10**column.scale} AS DECIMAL(19, 0)) AS BIGINT)"
    low = f"({whole} % {2**limbs.bits})"
    return [f"CAST(({whole} - {low}) / {2**limbs.bits} AS BIGINT)", f"CAST({low} AS BIGINT)"]


def _limbs(least: float, greatest: float, bits: int) -> Limbs:
    high = math.frexp(greatest)[1]
    low = max(math.frexp(least)[1] - _MANTISSA, _LOWEST)
    count = max(1, -((low - high) // bits))
    return Limbs(bits, count, math.ldexp(1.0, max(high - count * bits, _LOWEST - bits)))
