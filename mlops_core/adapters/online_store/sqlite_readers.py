"""Read connections to one SQLite file, kept between reads: opening one takes as long as ten reads."""

from __future__ import annotations

import os
import sqlite3
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["SQLiteReaders"]


class _Identity(NamedTuple):
    """The file a connection is open on, and the process that opened it."""

    process: int
    device: int
    inode: int


_Idle = dict[_Identity, list[sqlite3.Connection]]


class SQLiteReaders:
    """Connections that no one reads with just now. There is no lock: lists are popped and appended whole.

    A connection is used by one thread at a time. Those to a file that was replaced are closed; those that
    another process opened (this one was forked from it) are neither used nor closed, as SQLite demands.
    """

    def __init__(self, path: Path, opened: Callable[[], sqlite3.Connection]) -> None:
        self._path = path
        self._opened = opened
        self._idle: _Idle = {}
        weakref.finalize(self, _close, self._idle)

    @contextmanager
    def borrowed(self) -> Iterator[sqlite3.Connection]:
        """A connection, kept for the next one who asks unless the body raises.

        Raises `OSError` when there is no file, and `sqlite3.Error` when it cannot be opened.
        """
        identity = self._identity()
        idle = self._idle.get(identity)
        if idle is None:
            _close(self._idle)
            idle = self._idle.setdefault(identity, [])
        try:
            connection = idle.pop()
        except IndexError:
            connection = self._opened()
        try:
            yield connection
        except BaseException:  # whatever it was, the connection may be in the midst of something
            connection.close()
            raise
        idle.append(connection)
        if self._idle.get(identity) is not idle:  # closed meanwhile, so no one else would close this one
            _drain(idle)

    def close(self) -> None:
        """Close what is kept; the next to ask opens a connection again."""
        _close(self._idle)

    def _identity(self) -> _Identity:
        found = self._path.stat()  # an inode is not used again while a connection to it is open
        return _Identity(os.getpid(), found.st_dev, found.st_ino)


# Closing a connection in a process that inherited it can drop the locks of others, and so does forgetting it.
_INHERITED: list[list[sqlite3.Connection]] = []


def _close(idle: _Idle) -> None:
    for identity in list(idle):
        connections = idle.pop(identity, [])
        if identity.process == os.getpid():
            _drain(connections)
        elif connections:
            _INHERITED.append(connections)


def _drain(connections: list[sqlite3.Connection]) -> None:
    while connections:
        try:
            connections.pop().close()
        except IndexError:  # another thread closed the last one
            return
