"""What came of a run, in the same words whichever way it went."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.parity.found import Found

__all__ = ["Fault", "Ran", "Result", "State", "Watched"]

State = Literal["finished", "failed", "skipped"]


@dataclass(frozen=True)
class Fault:
    """The task that is made to fail: `MlopsError` in each attempt, `Unavailable` in the first one."""

    task: str
    error: Literal["MlopsError", "Unavailable"] = "MlopsError"

    def __str__(self) -> str:
        return f"{self.task}={self.error}"


@dataclass(frozen=True)
class Ran:
    """How a run ended by the account of what ran it.

    `exit_code` is that of its command, 1 for a failed run of what has none. `seconds` are of the wall clock,
    the start of its processes included, and `said` is its output.
    """

    states: dict[str, State]
    exit_code: int
    seconds: float
    said: str = ""

    def those(self, state: State) -> set[str]:
        """The tasks in this state."""
        return {task for task, one in self.states.items() if one == state}


@dataclass(frozen=True)
class Watched:
    """What the stages themselves saw: attempts by task, how they ended, and seconds within them."""

    attempts: dict[str, int] = field(default_factory=dict)
    finished: frozenset[str] = frozenset()
    seconds: float = 0.0

    @classmethod
    def read(cls, log: Path) -> Watched:
        """From the file that `watch/sitecustomize.py` wrote; there is none where no stage began."""
        lines = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        ended = [line for line in lines if "seconds" in line]
        return cls(
            attempts=dict(Counter(line["task"] for line in lines if "seconds" not in line)),
            finished=frozenset(line["task"] for line in ended if line["error"] is None),
            seconds=sum(line["seconds"] for line in ended),
        )


@dataclass(frozen=True)
class Result:
    """A run by all accounts: of what ran it, of the stages, and of the state folder and the ledger."""

    ran: Ran
    watched: Watched
    found: Found

    @property
    def verdict(self) -> str:
        """What became of the version; "failed" where the run did not come as far as to say."""
        return self.found.status if "deployment" in self.watched.finished else "failed"
