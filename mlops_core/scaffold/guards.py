"""Rules that hold in the data and are worth guarding, each with what it would catch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_core.definitions import InRange, NotNull, Unique, Volume

if TYPE_CHECKING:
    from mlops_core.domain.rules import AnyRule
    from mlops_core.scaffold.look import Look

__all__ = ["rules_of"]

_MOST = 4


def rules_of(
    look: Look, used: tuple[str, ...], event_id: str | None, *, corrected: bool
) -> dict[AnyRule, str]:
    """Rules, and the reason of each. Keys and times are never null by the contract: no rule says it again.

    `corrected`: events of one id may come again, so it is no reason to refuse them.
    """
    found: dict[AnyRule, str] = {}
    numbers = [one for one in look.columns.values() if one.is_number and one.name not in (*used, event_id)]
    for one in [one for one in numbers if not one.named_as_id][:_MOST]:
        if not one.nulls:
            found[NotNull(one.name)] = f"No null among {look.rows:,} rows: one would be a feed that broke."
        if one.low is not None and one.low >= 0:
            found[InRange(one.name, low=0)] = f"Nothing below {one.low:g} so far: a sign would be an error."
    if event_id and not corrected:
        found[Unique((event_id,))] = "Every row has its own so far: one that comes twice was delivered twice."
    found[Volume()] = "A delivery of less than half the rows of the last one is not whole."
    return found
