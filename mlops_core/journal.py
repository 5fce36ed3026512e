"""What the stages of each use case last did: what a plan compares with, and estimates from.

::

    <home>/runs/<use case>/<stage>.json      the last use of a stage, see `Use`

Whoever runs a stage notes it, in whichever process and under whichever orchestrator. It is a help and never
a truth: what is there to be reused, the workspace alone says. So losing a note, or two at once, does no harm.
"""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from mlops_core.domain.journal import Took, Use

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mlops_core.domain.inputs import Inputs

__all__ = ["Journal", "unnoted"]

_KEPT = 20  # times that are remembered
_LOG = logging.getLogger(__name__)
_unnoted: ContextVar[bool] = ContextVar("unnoted", default=False)


@contextmanager
def unnoted() -> Iterator[None]:
    """Have nothing noted by this thread meanwhile: for runs that say nothing of what the next one will do.

    Threads begun inside note, unless they are given a copy of the context.
    """
    token = _unnoted.set(True)
    try:
        yield
    finally:
        _unnoted.reset(token)


class Journal:
    """The notes below the state folder `home`."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "runs"

    def note(self, inputs: Inputs, *, executed: bool, seconds: float) -> None:
        """Remember that a run came through a stage. A disk that refuses is no matter."""
        if _unnoted.get():
            return
        now, before = datetime.now(UTC), self.last(inputs.use_case, inputs.stage)
        worked = before.worked if before else ()
        if executed:
            worked = (*worked, Took(at=now, key=inputs.key, seconds=seconds))[-_KEPT:]
        use = Use(at=now, inputs=inputs, executed=executed, worked=worked)
        path = self._file(inputs.use_case, inputs.stage)
        aside = path.with_name(f".{path.name}.{uuid4().hex}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            aside.write_text(use.model_dump_json())
            os.replace(aside, path)  # noqa: PTH105 - under its POSIX name, as in `disk`
        except OSError as error:
            with suppress(OSError):
                aside.unlink()
            _LOG.debug("%s: not noted (%s)", inputs.stage, error)

    def last(self, use_case: str, stage: str) -> Use | None:
        """The last use of a stage; None before the first, and when the note cannot be read."""
        return self._read(self._file(use_case, stage))

    def all(self) -> list[Use]:
        """The last use of every stage of every use case."""
        return [use for path in sorted(self._folder.glob("*/*.json")) if (use := self._read(path))]

    def _file(self, use_case: str, stage: str) -> Path:
        return self._folder / use_case / f"{stage}.json"

    @staticmethod
    def _read(path: Path) -> Use | None:
        try:
            return Use.model_validate_json(path.read_bytes())
        except (OSError, ValueError):
            return None
