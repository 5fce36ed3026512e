"""Pictures of a pipeline and of its runs, for notebooks: `pip install 'mlops-core[notebook]'`.

Drawn by Matplotlib, in the colours of Okabe and Ito ("Color Universal Design", 2008), which people with any
colour vision can tell apart; whatever a colour says is written there as well. Each function makes a figure of
pyplot and returns its axes.
"""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING

from mlops_core.dag import TaskState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.axes import Axes

    from mlops_core.dag import PipelineDAG, RunReport

__all__ = ["COLOURS", "draw", "timeline"]

COLOURS = {TaskState.FINISHED: "#0072B2", TaskState.FAILED: "#D55E00", TaskState.SKIPPED: "#767676"}
_PLAIN = "#333333"
_ROW = 0.75  # inches
_PLACE = 2.4  # inches between tasks of a row

_Edge = tuple[str, str]
_Point = tuple[float, float]


def draw(dag: PipelineDAG, report: RunReport | None = None) -> Axes:
    """The tasks from top to bottom, each below all that it waits for; with `report`, what became of them.

    A line that others imply is left out: where c waits for a and b, and b for a, only b's goes to c.
    """
    from matplotlib import pyplot

    lines = _told_apart(dag)
    rows = _rows(dag, lines)
    places = _places(rows, lines)
    left, right = (bound((x for x, _ in places.values()), default=0.0) for bound in (min, max))
    size = (max(4.0, _PLACE * (right - left + 1)), _ROW * len(rows) + 0.2)
    _, axes = pyplot.subplots(figsize=size, layout="constrained")
    for (above, below), ways in lines.items():
        points = [places[one] for one in (above, *ways, below)]
        axes.plot(*zip(*points, strict=True), color="#999999", linewidth=1.2, zorder=1)
    ended = {one.name: one.state for one in report.tasks} if report else {}
    for task in dag:
        state = ended.get(task.name)
        colour = COLOURS[state] if state else _PLAIN
        box = {"boxstyle": "round,pad=0.5", "facecolor": "white", "edgecolor": colour, "linewidth": 1.6}
        text = f"{task.name}\n{state}" if state else task.name
        axes.text(*places[task.name], text, ha="center", va="center", color=colour, size=9, bbox=box)
    axes.set(xlim=(left - 0.5, right + 0.5), ylim=(-len(rows) + 0.5, 0.5))
    axes.axis("off")
    return axes


def timeline(report: RunReport) -> Axes:
    """When each task of a run began and how long it took, in seconds: what ran at the same time as what.

    A task that was tried more than once says so; its bar is all attempts and the waits between them.
    """
    from matplotlib import pyplot

    tasks = sorted(report.tasks, key=lambda one: (one.started is None, one.started or report.started))
    _, axes = pyplot.subplots(figsize=(7.0, 0.38 * len(tasks) + 0.9), layout="constrained")
    for place, task in enumerate(tasks):
        begun = (task.started - report.started).total_seconds() if task.started else 0.0
        axes.barh(place, task.seconds, left=begun, height=0.6, color=COLOURS[task.state])
        tries = f", {task.attempts} attempts" if task.attempts > 1 else ""
        axes.annotate(
            f"{task.state}{tries}",
            (begun + task.seconds, place),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            size=8,
            color=COLOURS[task.state],
        )
    axes.set_yticks(range(len(tasks)), [task.name for task in tasks])
    axes.invert_yaxis()
    axes.set_xlim(0, max(report.seconds, 1e-3) * 1.25)  # room for the words
    axes.set_xlabel("seconds since the run began")
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def _told_apart(dag: PipelineDAG) -> dict[_Edge, tuple[str, ...]]:
    """The edges that no others imply, each with names for the rows that it passes on its way."""
    row = _levels(dag)
    below = {task.name: set(dag.descendants(task.name)) for task in dag}
    kept = [
        (one, task.name)
        for task in dag
        for one in task.upstream
        if not below[one].intersection(task.upstream)
    ]
    return {
        (one, other): tuple(f"{one}\0{other}\0{number}" for number in range(row[one] + 1, row[other]))
        for one, other in kept
    }


def _levels(dag: PipelineDAG) -> dict[str, int]:
    """The row of each task: one below the lowest that it waits for."""
    row: dict[str, int] = {}
    for task in dag:
        row[task.name] = max((row[one] + 1 for one in task.upstream), default=0)
    return row


def _rows(dag: PipelineDAG, lines: dict[_Edge, tuple[str, ...]]) -> list[list[str]]:
    """What stands in each row: tasks, and lines that pass them by."""
    row = _levels(dag)
    for (above, _), ways in lines.items():
        row |= {way: row[above] + 1 + number for number, way in enumerate(ways)}
    rows: list[list[str]] = [[] for _ in range(max(row.values(), default=0) + 1)]
    for name, number in row.items():
        rows[number].append(name)
    return rows


def _places(rows: list[list[str]], lines: dict[_Edge, tuple[str, ...]]) -> dict[str, _Point]:
    """Where everything stands: in each row by the middle of what leads there, so that few lines cross."""
    above: dict[str, list[str]] = {}
    for (start, end), ways in lines.items():
        for one, other in zip((start, *ways), (*ways, end), strict=True):
            above.setdefault(other, []).append(one)
    places: dict[str, _Point] = {}
    for number, row in enumerate(rows):
        wanted = {name: _middle(places[one][0] for one in above.get(name, [])) for name in row}
        first = _middle(wanted.values()) - (len(row) - 1) / 2
        for place, name in enumerate(sorted(row, key=wanted.__getitem__)):
            places[name] = (first + place, -float(number))
    return places


def _middle(found: Iterable[float]) -> float:
    return fmean(values) if (values := list(found)) else 0.0
