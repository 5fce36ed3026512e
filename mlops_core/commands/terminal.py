"""Progress on a terminal, by rich: what is over as lines, below them what is under way, redrawn in place.

rich is imported when something is first shown, not by a command that is over before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_core.commands.output import warn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from mlops_core.commands.display import Step

__all__ = ["Live", "print_line"]

_WIDE = 60  # columns from which there is room for a bar and for what is being done
_BAR, _NAME = 16, 26  # columns of a bar, and of a task's name at most
_SPARE = 3  # columns left free: what a terminal echoes of Ctrl-C must not begin a line
_PER_SECOND = 8


class Live:
    """One display on standard error; `NO_COLOR` and `FORCE_COLOR` mean to rich what they say."""

    def __init__(self) -> None:
        self._steps: Sequence[Step] = ()
        self._live: Any = None  # rich's, once there is something to show

    def look(self, steps: Sequence[Step]) -> None:
        """Show these; the first time it takes its place at the foot of the terminal."""
        self._steps = steps
        if self._live is None and steps:
            self._live = self._begun()

    def line(self, text: str, *, good: bool) -> None:
        """Say it above what is under way."""
        if self._live is None:  # nothing took long yet, so nothing has to be taken away for it
            warn(text)
        else:
            self._live.console.print(_painted(text, good=good), soft_wrap=True)

    def clear(self) -> None:
        """Take the display away and give the cursor back."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _begun(self) -> Any:
        from rich.console import Console
        from rich.live import Live as Region
        from rich.spinner import Spinner

        console = Console(stderr=True, highlight=False)
        spinner = Spinner("dots" if console.encoding.startswith("utf") else "line")
        region = Region(
            get_renderable=lambda: _table(console, spinner, self._steps),
            console=console,
            refresh_per_second=_PER_SECOND,
            transient=True,
            redirect_stdout=False,  # it may be piped, and has results alone
        )
        region.start()
        console.show_cursor()  # it stays: whoever is killed could not bring a hidden one back
        return region


def print_line(text: str, *, good: bool) -> None:
    """A line on standard error in colours, where a person wants them though it is no terminal."""
    from rich.console import Console

    Console(stderr=True, highlight=False).print(_painted(text, good=good), soft_wrap=True)


def _painted(text: str, *, good: bool) -> Text:
    from rich.text import Text

    name, colon, rest = text.partition(":")
    return Text.assemble((name + colon, "bold"), (rest, "" if good else "red"))


def _table(console: Console, spinner: Any, steps: Sequence[Step]) -> Table:
    """A row a step, as many as the terminal is high; cut to its width, whatever that is by now."""
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    wide = console.width >= _WIDE
    table = Table.grid(padding=(0, 1), expand=True)
    table.width = max(_SPARE, console.width - _SPARE)
    table.add_column(width=1)
    for _ in range(2 if wide else 1):
        table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    if wide:
        table.columns[1].ratio, table.columns[1].max_width = None, _NAME
        table.add_column(width=_BAR)
    table.add_column(width=5, justify="right")
    table.add_column(width=6, justify="right")
    for one in steps[: max(1, console.height - 2)]:
        share = "" if one.done is None else f"{100 * one.done:.0f} %"
        cells: list[Any] = [Text(one.name, "bold")]
        if wide:
            bar = ProgressBar(total=None if one.done is None else 1.0, completed=one.done or 0.0)
            cells += [Text(one.what, "dim"), bar]
        table.add_row(spinner, *cells, share, Text(f"{one.seconds:.0f} s", "dim"))
    return table
