"""Progress of a command on standard error: live on a terminal, plain lines elsewhere, none if quiet.

Every verb is shown, by its name until it tells more (`mlops_core.progress`). What it prints on standard
output comes while the display is away, so that a terminal never shows one in the other.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from mlops_core.commands.output import aside, warn
from mlops_core.progress import heard_by

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlops_core.dag import Context, Hooks, PipelineDAG, Task, TaskRun
    from mlops_core.progress import Progress

__all__ = ["Display", "Step", "display", "on_terminal"]

SOON = 0.5  # seconds that a command is given before anything is shown of it
FIRST, EVERY = 2.0, 5.0  # seconds: until a plain line says what a step tells, and between two of it
BARE = 5.0  # seconds until one says its mere name: that is no news, but more than silence


@dataclass
class Step:
    """Something under way: a command or a task of a DAG, by its `name`.

    `what` is being done in it, empty until it tells; `done` is its share from 0 to 1, which only goes up, and
    None until it tells one. `begun` is in seconds of `time.monotonic`.
    """

    name: str
    what: str = ""
    done: float | None = None
    begun: float = field(default_factory=time.monotonic)

    def hear(self, progress: Progress) -> None:
        """Note what the step told."""
        self.what, self.done = progress.what, max(progress.done, self.done or 0.0)

    @property
    def seconds(self) -> float:
        """How long it has been under way."""
        return time.monotonic() - self.begun

    @property
    def sentence(self) -> str:
        """All of it in words."""
        share = "" if self.done is None else f", {100 * self.done:.0f} %"
        return f"{self.name}: {self.what or 'under way'}{share}"


class _View(Protocol):
    """How steps are shown: `look` comes about twice a second, `line` says one that stays.

    `clear` takes away what is to be taken away; with the next `look` it may be there again.
    """

    def look(self, steps: Sequence[Step]) -> None: ...

    def line(self, text: str, *, good: bool) -> None: ...

    def clear(self) -> None: ...


class Display:
    """What is under way, for a view; without one nothing is shown. Steps may begin and end in any thread."""

    def __init__(self, view: _View | None) -> None:
        self._view = view
        self._steps: list[Step] = []
        self._lock = threading.RLock()  # of the view too: one thread looks, others say lines

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Show this step meanwhile, and what it tells; a step within the command's, in place of that."""
        if self._view is None:
            yield
            return
        one = Step(name)
        with self._lock:
            self._steps.append(one)
        try:
            with heard_by(one.hear):
                yield
        finally:
            with self._lock:
                self._steps.remove(one)

    @contextmanager
    def away(self) -> Iterator[None]:
        """Show nothing meanwhile: something else is written."""
        with self._lock:
            if self._view is not None:
                self._view.clear()
            yield

    def end(self) -> None:
        """Show nothing any more: what goes on has a log of its own."""
        with self.away():
            self._view = None

    def watched(self, dag: PipelineDAG) -> PipelineDAG:
        """The same DAG, whose tasks are steps."""
        from mlops_core.dag import PipelineDAG

        if self._view is None:
            return dag
        tasks = [replace(task, run=partial(self._performed, task)) for task in dag]
        return PipelineDAG(tasks, base_context=dag.base_context)

    def _performed(self, task: Task, context: Context) -> Any:
        with self.step(task.name):
            return task.run(context)

    @property
    def hooks(self) -> Hooks:
        """Has a line said of every task that is over, and of every attempt that is followed by another."""
        from mlops_core.dag import Hooks

        return Hooks() if self._view is None else Hooks(on_finish=self._finished, on_retry=self._retried)

    def _finished(self, run: TaskRun) -> None:
        self._say(f"{run.name}: {run.state} in {run.seconds:.1f} s", good=run.state == "finished")

    def _retried(self, task: Task, attempt: int, error: Exception, delay: float) -> None:
        attempts = f"attempt {attempt} of {task.retry.attempts}"
        self._say(f"{task.name}: {attempts} failed: {error}; the next in {delay:.1f} s", good=False)

    def _say(self, text: str, *, good: bool) -> None:
        with self._lock:
            if self._view is not None:
                self._view.line(text, good=good)

    def look(self) -> None:
        """Have the view show how things stand: the tasks under way, or the command where there are none."""
        with self._lock:
            if self._view is not None:
                self._view.look(self._steps[1:] or self._steps[:1])


class _Lines:
    """Plain lines: of a step that is long, when it has something new to tell, and never many."""

    def __init__(self) -> None:
        self._told: dict[int, tuple[float, str]] = {}  # by the step: when it was last told of, and what

    def look(self, steps: Sequence[Step]) -> None:
        now = time.monotonic()
        for one in steps:
            when, sentence = self._told.get(id(one), (-EVERY, ""))
            if (
                one.seconds >= (FIRST if one.what else BARE)
                and now - when >= EVERY
                and one.sentence != sentence
            ):
                self._told[id(one)] = (now, one.sentence)
                self.line(one.sentence, good=True)

    def line(self, text: str, *, good: bool) -> None:
        if os.environ.get("FORCE_COLOR"):
            from mlops_core.commands.terminal import print_line

            print_line(text, good=good)
        else:
            warn(text)

    def clear(self) -> None:
        """A line stays."""


class _ToStandardError(logging.Handler):
    """Log lines where `sys.stderr` is at the time: a live display puts itself there."""

    def emit(self, record: logging.LogRecord) -> None:
        warn(self.format(record))


@contextmanager
def display(name: str, *, quiet: bool = False, log: int | None = logging.WARNING) -> Iterator[Display]:
    """Show the command `name` on standard error meanwhile, and what our modules log from the level `log` on.

    None leaves the log to the command. If quiet, there is no progress, nor a line of the log below a warning.
    """
    shown = Display(None if quiet else _view())
    over = threading.Event()
    watch = threading.Thread(target=_watch, args=(shown, over), name="display", daemon=True)
    level = log if log is None or not quiet else logging.WARNING
    with _logged(level), aside(shown.away):
        if not quiet:
            watch.start()
        try:
            with shown.step(name):
                yield shown
        finally:
            over.set()
            if not quiet:
                watch.join()
            with shown.away():
                pass


def on_terminal() -> bool:
    """Whether standard error is a terminal that a person looks at, and that can take lines back."""
    term, automatic = os.environ.get("TERM", "").lower(), os.environ.get("CI", "").lower()
    return sys.stderr.isatty() and term not in ("dumb", "unknown") and automatic in ("", "0", "false")


def _view() -> _View:
    if not on_terminal():
        return _Lines()
    from mlops_core.commands.terminal import Live

    return Live()


def _watch(shown: Display, over: threading.Event) -> None:
    while not over.wait(SOON):
        shown.look()


@contextmanager
def _logged(level: int | None) -> Iterator[None]:
    if level is None:
        yield
        return
    logger, handler = logging.getLogger("mlops_core"), _ToStandardError()
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(level)
    try:
        yield
    finally:
        logger.setLevel(before)
        logger.removeHandler(handler)
