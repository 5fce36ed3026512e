"""How far a long step has come, told to whoever listens; where nobody does, telling costs next to nothing.

A stage or an engine tells; a runner, which knows where a person looks, listens. Results never depend on it,
so it is no part of the code that decides what a stage makes.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["Progress", "heard_by", "tell", "told", "within"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Progress:
    """`what` is being done, in words a person knows; `done` is the share of the whole step, from 0 to 1."""

    what: str
    done: float


_listener: ContextVar[Callable[[Progress], object] | None] = ContextVar("listener", default=None)


@contextmanager
def heard_by(listener: Callable[[Progress], object] | None) -> Iterator[None]:
    """Have `listener` called with all that this thread tells meanwhile; None for nobody.

    It must not raise. Threads begun inside hear nothing unless they are given a copy of the context.
    """
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def tell(what: str, done: float) -> None:
    """Say that this share of the step is done and that `what` comes next."""
    listener = _listener.get()
    if listener is not None:
        listener(Progress(what, done))


@contextmanager
def within(start: float, stop: float) -> Iterator[None]:
    """Have what is told meanwhile, from 0 to 1 of a part, count as `start` to `stop` of the whole step."""
    listener = _listener.get()
    if listener is None:
        yield
        return
    with heard_by(lambda part: listener(Progress(part.what, start + (stop - start) * part.done))):
        yield


def told(items: Sequence[T], what: str, *, start: float = 0.0, stop: float = 1.0) -> Iterator[T]:
    """The items one by one, which take the step from `start` to `stop`, told before each and at the end."""
    for number, item in enumerate(items):
        tell(what, start + (stop - start) * number / len(items))
        yield item
    tell(what, stop)
