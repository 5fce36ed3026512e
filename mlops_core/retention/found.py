"""What nobody refers to: one thing, why nobody does, how large it is and how long it has been so."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from mlops_core.domain.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["KINDS", "Found", "Item", "Kind", "Total", "size_of", "totals"]

Kind = Literal["output", "events", "online values", "release", "model files", "debris"]
KINDS: tuple[Kind, ...] = ("output", "events", "online values", "release", "model files", "debris")


class Item(Value):
    """One thing. `what` is a path relative to the state folder, or the name of a set of online values.

    `size` is in bytes and `age` in seconds, None where the engine does not tell.
    """

    kind: Kind
    what: str
    use_case: str | None
    why: str
    size: int | None = Field(default=None, ge=0)
    age: float | None = None


class Total(Value):
    """How many things, and how many bytes those of them have that are known."""

    count: int
    size: int


@dataclass(frozen=True)
class Found:
    """An item, and the deed of removing it.

    `remove` is False when it was left, having come into use since it was found, and raises `MlopsError` when
    the disk refuses.
    """

    item: Item
    remove: Callable[[], bool]


def totals(items: Iterable[Item]) -> dict[Kind, Total]:
    """What there is of each kind, in the order of `KINDS`; kinds with nothing are left out."""
    all_ = list(items)
    found = {kind: [one for one in all_ if one.kind == kind] for kind in KINDS}
    return {
        kind: Total(count=len(ones), size=sum(one.size or 0 for one in ones))
        for kind, ones in found.items()
        if ones
    }


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files below a folder; what vanishes meanwhile counts nothing."""
    below = (Path(parent, name) for parent, _, names in os.walk(path) for name in names)
    total = 0
    for file in below if path.is_dir() else [path]:
        with suppress(FileNotFoundError):
            total += file.lstat().st_size
    return total
