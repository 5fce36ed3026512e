"""Entity keys as online stores keep them: typed, so that "1" is not 1 and ("1", 11) is not ("11", 1)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlops_core.domain.online import Key

__all__ = ["StoredKey", "stored_key"]

StoredKey = int | str | bytes
"""An integer or a text as it is; the parts of a composite key as a JSON array in UTF-8."""

_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def stored_key(key: Key) -> StoredKey | None:
    """How `key` is kept; None for one that no table can hold, as True, 2**63 or half of a character."""
    if isinstance(key, tuple):
        return _JSON.encode(key).encode() if all(map(_can_be_stored, key)) else None
    return key if _can_be_stored(key) else None


def _can_be_stored(part: object) -> bool:
    if isinstance(part, str):
        return part.isascii() or not any("\ud800" <= one <= "\udfff" for one in part)
    return isinstance(part, int) and not isinstance(part, bool) and -(2**63) <= part < 2**63
