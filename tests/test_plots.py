"""Pictures of a DAG and of a run: what is written there, and which lines are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mlops_core import PipelineDAG, RetryPolicy, Task, Unavailable
from mlops_core.plots import draw, timeline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes


@pytest.fixture(autouse=True)
def _no_window(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[None]:
    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path))
    import matplotlib as mpl
    from matplotlib import pyplot

    mpl.use("agg")
    yield
    pyplot.close("all")


def nothing(_: dict[str, Any]) -> None:
    """A task that does nothing."""


def fails(_: dict[str, Any]) -> None:
    """A task that cannot be done."""
    raise Unavailable("nobody is there")


DAG = PipelineDAG(
    [
        Task("rows", nothing),
        Task("model", fails, ("rows",), retry=RetryPolicy(attempts=2, delay_seconds=0)),
        Task("report", nothing, ("rows",)),
        Task("release", nothing, ("rows", "model")),
    ]
)


def written(axes: Axes) -> list[str]:
    """The texts of a picture."""
    return [text.get_text() for text in axes.texts]


def test_a_dag_is_drawn_from_top_to_bottom_without_lines_that_others_imply() -> None:
    """`release` waits for `rows` through `model` already."""
    axes = draw(DAG)
    heights = {text.get_text(): text.get_position()[1] for text in axes.texts}
    assert heights["rows"] > heights["model"] == heights["report"] > heights["release"]
    assert len(axes.lines) == 3


def test_a_line_that_passes_a_row_goes_round_the_tasks_in_it() -> None:
    """It is drawn through a place of its own there."""
    dag = DAG.with_tasks(Task("release", nothing, ("model",)), Task("notice", nothing, ("release", "report")))
    axes = draw(dag)
    places = {text.get_text(): text.get_position() for text in axes.texts}
    passing = [point for line in axes.lines for point in np.asarray(line.get_xydata())[1:-1]]
    assert len(passing) == 1
    assert passing[0][1] == places["release"][1]
    assert abs(passing[0][0] - places["release"][0]) >= 1


def test_a_report_says_what_became_of_each_task() -> None:
    """In words, for those who see no colours."""
    report = DAG.run({})
    assert written(draw(DAG, report)) == [f"{one.name}\n{one.state}" for one in report.tasks]
    axes = timeline(report)
    assert sorted(written(axes)) == ["failed, 2 attempts", "finished", "finished", "skipped"]
    assert [label.get_text() for label in axes.get_yticklabels()][-1] == "release"


def test_a_dag_without_tasks_is_an_empty_picture() -> None:
    """As it is an empty run."""
    empty = PipelineDAG([])
    assert written(draw(empty)) == []
    assert written(timeline(empty.run({}))) == []
