"""Names in an Airflow file: ids that Airflow takes, and variables that Python takes."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["LONGEST_ID", "Named", "named", "safe_id"]

LONGEST_ID = 250
"""Characters of an id: `validate_key` in airflow/sdk/definitions/_internal/node.py of Airflow 3.3."""
_PLAIN = re.compile(r"[A-Za-z0-9_.-]+")
_ODD = re.compile(r"[^A-Za-z0-9_.-]+")
# What the file itself uses for something else
_TAKEN = ("annotations", "dag", "dataclass", "json", "random", "timedelta")


@dataclass(frozen=True)
class Named:
    """A task's own name, its id in Airflow and its variable in the file."""

    name: str
    id: str
    variable: str


def safe_id(name: str) -> str:
    """The name itself where Airflow takes it, otherwise what is left of it and the beginning of its digest.

    Airflow would take letters of any script; those of ASCII alone are safe in addresses and files as well.
    """
    if _PLAIN.fullmatch(name) and len(name) <= LONGEST_ID:
        return name
    digest = sha256(name.encode()).hexdigest()[:8]
    return "-".join(part for part in (_ODD.sub("_", name)[:60].strip("_.-"), digest) if part)


def named(names: Iterable[str]) -> dict[str, Named]:
    """An id and a variable for each name, no two the same."""
    found: dict[str, Named] = {}
    ids: set[str] = set()
    variables = set(_TAKEN)
    for name in sorted(names, key=lambda name: safe_id(name) != name):  # plain names are theirs alone
        found[name] = Named(name, _apart(safe_id(name), ids), _apart(_variable(name), variables))
    return found


def _variable(name: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9_]+", "_", name)[:60].strip("_").lower()
    return f"task_{plain}" if not plain or plain[0].isdigit() or keyword.iskeyword(plain) else plain


def _apart(wanted: str, used: set[str]) -> str:
    one, number = wanted, 1
    while one in used:
        number += 1
        one = f"{wanted}_{number}"
    used.add(one)
    return one
