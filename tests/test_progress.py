"""What is told of progress reaches who listens, and decides nothing."""

from __future__ import annotations

import threading
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from mlops_core.progress import Progress, heard_by, tell, told, within
from mlops_core.workspace import Workspace
from tests.stages.shop import MemoryEngines, Shop

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_what_is_told_is_heard() -> None:
    heard: list[Progress] = []
    with heard_by(heard.append):
        tell("reading", 0.25)
    tell("nobody hears this", 1.0)
    assert heard == [Progress("reading", 0.25)]


def test_items_take_a_step_from_its_start_to_its_stop() -> None:
    heard: list[Progress] = []
    with heard_by(heard.append):
        assert list(told("ab", "spelling", start=0.2, stop=0.6)) == ["a", "b"]
    assert [one.done for one in heard] == pytest.approx([0.2, 0.4, 0.6])


def test_a_part_counts_as_its_share_of_the_whole() -> None:
    """And a part of a part as the share of a share."""
    heard: list[Progress] = []
    with heard_by(heard.append), within(0.5, 1.0), within(0.0, 0.5):
        tell("half of the first half of the second half", 0.5)
    assert [one.done for one in heard] == [0.625]


def test_a_part_of_what_nobody_hears_is_told_to_nobody() -> None:
    heard: list[Progress] = []
    with within(0.0, 0.5):
        tell("nothing", 0.5)
        with heard_by(heard.append):
            tell("something", 0.5)
    assert [one.done for one in heard] == [0.5]


def test_another_thread_is_heard_with_a_copy_of_the_context() -> None:
    heard: list[Progress] = []
    with heard_by(heard.append):
        _in_a_thread(lambda: tell("unheard", 0.5))
        _in_a_thread(partial(copy_context().run, tell, "heard", 0.5))
    assert heard == [Progress("heard", 0.5)]


def _in_a_thread(do: Callable[[], object]) -> None:
    thread = threading.Thread(target=do)
    thread.start()
    thread.join()


def test_listening_changes_no_result(tmp_path: Path) -> None:
    """Receipts and the decision of a whole pipeline are the same, digests and all."""
    heard: list[Progress] = []
    unheard = _receipts(tmp_path / "unheard")
    with heard_by(heard.append):
        assert _receipts(tmp_path / "heard") == unheard
    told_of = {one.what for one in heard}
    assert {"drawing the report", "measuring 1,000 resamples", "saving the model"} <= told_of
    assert all(0.0 <= one.done <= 1.0 for one in heard)


def _receipts(folder: Path) -> dict[str, Any]:
    folder.mkdir()
    context = Shop(folder, MemoryEngines(Workspace(folder / "state"))).run()
    made = ("feature_store", "training_set", "model_training.logistic", "model_evaluation")
    return {**{stage: context[stage] for stage in made}, "gate": context["gate"].decision.digest}
