"""Events as generated SQL sees them: which there are, from when to when each one is seen, what it holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    import pyarrow as pa

__all__ = ["NEVER", "EventColumn", "Events", "double", "in_micros"]

NEVER = "9223372036854775807"
_LONGEST = 400_000_000_000_000_000  # microseconds; longer than from year 1 to 9999


def in_micros(span: timedelta) -> int:
    """Whole microseconds, at most as many as there are between any two instants."""
    return min((span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds, _LONGEST)


def double(value: float) -> str:
    """A float as a literal: 17 digits say a double exactly, and the exponent says that it is one."""
    return f"{value:.16e}"


@dataclass(frozen=True, kw_only=True)
class EventColumn:
    """A column read: its name in the SQL, and what it holds; `digits` and `scale` are those of a decimal."""

    name: str
    kind: Literal["integer", "float", "decimal", "other"] = "other"
    digits: int = 0
    scale: int = 0

    @classmethod
    def of(cls, name: str, kind: pa.DataType) -> EventColumn:
        """The column of an Arrow type."""
        import pyarrow as pa

        if pa.types.is_decimal(kind):
            return cls(name=name, kind="decimal", digits=kind.precision, scale=kind.scale)
        if pa.types.is_integer(kind):
            return cls(name=name, kind="integer")
        return cls(name=name, kind="float" if pa.types.is_floating(kind) else "other")


@dataclass(frozen=True, kw_only=True)
class Events:
    """Events as SQL sees them: a relation `(k0, k1, …, t, created, id, c0, c1, …)`.

    `relation` is the text of a FROM item, `keys` how many key columns it has. `created` and `versions` say
    whether it has the columns `created` (created timestamps) and `id` (event ids). `recorded` events are seen
    from when they were recorded on; all are seen from `delay` microseconds after `t` on. With `known_at`,
    what was recorded later than that instant is not there.

    `columns` are those read, by their names in the source; `magnitudes` the least absolute value but 0 and
    the greatest one of those SQL columns that are split as floats, see `limbs`.
    """

    relation: str
    keys: int = 1
    created: bool = False
    versions: bool = False
    recorded: bool = False
    delay: int = 0
    known_at: int | None = None
    columns: Mapping[str, EventColumn] = field(default_factory=dict)
    magnitudes: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def replaced(self) -> bool:
        """Whether a version is seen only until the next one is recorded, at `gone`."""
        return self.versions and self.recorded

    @property
    def known(self) -> str:
        """A FROM item: the rows that are there."""
        if not self.created or self.known_at is None:
            return self.relation
        return f"(SELECT * FROM {self.relation} AS known WHERE created <= {self.known_at})"  # noqa: S608 - all ours

    @property
    def rows(self) -> str:
        """A FROM item: the rows that count at some moment, with `v` and, where `replaced`, `gone`.

        A row is seen at moments in [v, gone). Where versions do not pass, the last one stands for its event.
        """
        visible = f"t + {self.delay}" if self.delay else "t"
        if self.recorded:
            visible = f"greatest({visible}, created)"
        if not self.versions:
            return f"(SELECT *, {visible} AS v FROM {self.known} AS one)"  # noqa: S608 - all ours
        following = "lead(created) OVER (PARTITION BY id ORDER BY created, t)"
        last = "" if self.recorded else f" WHERE gone = {NEVER}"
        return (
            f"(SELECT *, {visible} AS v FROM (SELECT *, coalesce({following}, {NEVER}) AS gone "  # noqa: S608 - all ours
            f"FROM {self.known} AS one) AS version{last})"
        )

    @property
    def seen(self) -> str:
        """Whether a row `e` of `rows` is seen at `spine.moment`, as a condition."""
        return "e.v <= spine.moment" + (" AND e.gone > spine.moment" if self.replaced else "")

    @property
    def key_columns(self) -> str:
        """The key columns, as a list."""
        return ", ".join(f"k{number}" for number in range(self.keys))

    def same_key(self, left: str, right: str) -> str:
        """Whether two relations' rows have equal keys; a null part equals nothing."""
        return " AND ".join(f"{left}.k{number} = {right}.k{number}" for number in range(self.keys))
