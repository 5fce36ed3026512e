"""What is asked of a delivery as a whole, beside its rows: is it new, is it fresh, is it all there?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mlops_core.domain.digest import digest_file, digest_of, digest_tree
from mlops_core.domain.rules import Fresh, Volume
from mlops_core.domain.time import in_words
from mlops_core.errors import DataError
from mlops_core.provenance import code_digest, libraries

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from mlops_core.domain.history import HistoryVersion
    from mlops_core.domain.sources import Data, EventSource

__all__ = ["check_fresh", "check_volume", "digest_of_given"]


def digest_of_given(source: EventSource, data: Data | None) -> str | None:
    """Digest of files and of what decides what becomes of them; None for what is only known once read."""
    if not isinstance(data, Path):
        return None
    if data.is_file():
        files = digest_file(data)
    elif data.is_dir():
        files = digest_tree(data)
    else:
        return None
    return digest_of([code_digest(), libraries(), source.rules, files])


def check_fresh(source: EventSource, last: datetime, now: datetime) -> None:
    """Raise `DataError` when the newest event is older than a rule of the source allows."""
    for rule in source.rules:
        if isinstance(rule, Fresh) and now - last > rule.within:
            raise DataError(
                f"{source.name}: its newest event is of {last:%Y-%m-%d %H:%M} UTC, {now - last} ago, and may "
                f"be {in_words(rule.within)} old at most. Bring in newer events, or widen the rule. "
                "Nothing was stored."
            )


def check_volume(source: EventSource, rows: int, versions: Sequence[HistoryVersion]) -> None:
    """Raise `DataError` when there are too few or too many rows, compared with the last delivery."""
    delivered = [one.delivered for one in versions if one.how != "expire"]
    for rule in source.rules:
        if isinstance(rule, Volume) and delivered:
            low, high = rule.least * delivered[-1], rule.most * delivered[-1]
            if not low <= rows <= high:
                raise DataError(
                    f"{source.name}: {rows:,} rows came, {delivered[-1]:,} the last time; {low:,.0f} to "
                    f"{high:,.0f} are expected. See that the delivery is whole, or widen the rule. "
                    "Nothing was stored."
                )
