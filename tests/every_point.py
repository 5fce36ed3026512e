"""How much of what is tried at many points is tried: with EVERY_POINT in the environment all of it.

That is what runs every night (`EVERY_POINT=1 pytest -m live`). Without it, as for every commit, the live
tests take a sample: evenly, the same one each time, some of every test function, and where one thing is done
several ways other points each way. What is asserted of a point is the same in both.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeVar

import pytest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path

__all__ = ["EVERY_POINT", "left_out", "nightly", "one_in", "sample"]

EVERY_POINT = bool(os.environ.get("EVERY_POINT"))

nightly = pytest.mark.skipif(not EVERY_POINT, reason="every night (EVERY_POINT=1): others show most of it")
"""Marks what takes minutes and is shown, for the most part, by tests that every commit runs."""

T = TypeVar("T")


def one_in(sampled: int) -> int:
    """The step from one point to the next that is tried: `sampled`, or 1 where all are."""
    return 1 if EVERY_POINT else sampled


def sample(points: Iterable[T], every: int, begin: int = 0) -> list[T]:
    """One in `every` of the points, from that at `begin` on; at least one of them, where there are any.

    Tests that begin at different places, modulo `every`, together meet all points.
    """
    found = list(points)
    step = one_in(every)
    return found[begin % step :: step] or found[:1]


def left_out(
    items: Sequence[pytest.Item], parameters: Collection[str], value: str, every: int
) -> list[pytest.Item]:
    """The tests of a slow engine to leave out, so that it tries one case in `every`, and others try them all.

    These are tests one of whose `parameters` is `value`. Cases are counted by file, so that a file that is
    run alone leaves out the same.
    """
    step = one_in(every)
    by_file: dict[Path, list[pytest.Item]] = {}
    for item in items:
        asked = getattr(item, "callspec", None)
        if asked is not None and any(asked.params.get(name) == value for name in parameters):
            by_file.setdefault(item.path, []).append(item)
    return [item for found in by_file.values() for place, item in enumerate(found) if place % step]
