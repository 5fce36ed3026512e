"""Names of definitions from names of columns and files, and which names a use case may have."""

from __future__ import annotations

import keyword
import re
import sys
import unicodedata
from importlib.util import find_spec
from typing import TYPE_CHECKING

from mlops_core.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Container

__all__ = ["check_name", "name_from", "unlike"]

_LONGEST = 40  # leaves room for what is added to a column's name, such as _sum_180d, of 63
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_TAKEN = frozenset({"find", "conftest", "tests", "flows", "mlops_core", "mlops", "test"})
_LETTERS = str.maketrans({"ß": "ss", "æ": "ae", "ø": "o", "ł": "l"})


def name_from(text: str, otherwise: str) -> str:
    """A name as definitions have them: lower case, without accents, words joined by underscores."""
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text).lower().translate(_LETTERS)
    plain = unicodedata.normalize("NFKD", split).encode("ascii", "ignore").decode()
    found = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:_LONGEST].strip("_")
    return found if found[:1].isalpha() else f"{otherwise}_{found}".strip("_")


def unlike(name: str, taken: Container[str]) -> str:
    """The name, with a number where it is taken."""
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name}_{number}"
    return found


def check_name(name: str, *, known: Container[str]) -> None:
    """Refuse what cannot be a use case's name: it becomes a module, and is imported. Raises `BadInput`."""
    if not _NAME.fullmatch(name) or keyword.iskeyword(name) or keyword.issoftkeyword(name):
        hint = name_from(name, "case")
        hint = f"{hint}_model" if keyword.iskeyword(hint) or keyword.issoftkeyword(hint) else hint
        raise BadInput(
            f"{name!r} cannot name a use case: expected small letters, digits and underscores, a letter "
            f"first, 40 at most and no word of Python's own: {hint!r}, for instance"
        )
    if name in known:
        raise BadInput(
            f"{name!r} is taken: a use case of that name comes with mlops_core: choose another name"
        )
    if name in _TAKEN or name in sys.stdlib_module_names or _importable(name):
        raise BadInput(
            f"{name!r} is taken: `import {name}` means another module here, which {name}.py would hide: "
            f"choose another name, such as {f'{name}_model'!r}"
        )


def _importable(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):
        return False
