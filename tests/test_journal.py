"""What stages did is remembered, and is never in the way."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING

import pytest

from mlops_core.domain.inputs import Inputs
from mlops_core.journal import Journal, unnoted

if TYPE_CHECKING:
    from pathlib import Path

ROWS = Inputs(stage="training_set", use_case="shop", data={"orders": "a"})
MODEL = Inputs(stage="model_training.logistic", use_case="shop", data={"training_set": "b"})


def test_the_last_use_of_a_stage_is_what_was_noted(tmp_path: Path) -> None:
    """Its inputs come back equal, so that their key does."""
    journal = Journal(tmp_path)
    journal.note(ROWS, executed=True, seconds=1.5)
    last = journal.last("shop", "training_set")
    assert last is not None
    assert (last.inputs, last.executed, last.inputs.key) == (ROWS, True, ROWS.key)
    assert [(one.key, one.seconds) for one in last.worked] == [(ROWS.key, 1.5)]


def test_only_work_counts_for_how_long_it_takes(tmp_path: Path) -> None:
    """A reused result took no time, and says nothing of the next one that has to be made."""
    journal = Journal(tmp_path)
    journal.note(ROWS, executed=True, seconds=2.0)
    journal.note(ROWS, executed=False, seconds=0.01)
    last = journal.last("shop", "training_set")
    assert last is not None
    assert not last.executed
    assert [one.seconds for one in last.worked] == [2.0]


def test_twenty_times_are_remembered(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for number in range(25):
        journal.note(ROWS, executed=True, seconds=float(number))
    last = journal.last("shop", "training_set")
    assert last is not None
    assert [one.seconds for one in last.worked] == [float(number) for number in range(5, 25)]


def test_all_lists_the_last_use_of_every_stage(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for inputs in (ROWS, MODEL, MODEL.model_copy(update={"use_case": "other"})):
        journal.note(inputs, executed=True, seconds=0.0)
    assert [(use.inputs.use_case, use.inputs.stage) for use in journal.all()] == [
        ("other", "model_training.logistic"),
        ("shop", "model_training.logistic"),
        ("shop", "training_set"),
    ]


def test_nothing_is_known_before_the_first_note(tmp_path: Path) -> None:
    assert Journal(tmp_path / "missing").last("shop", "training_set") is None
    assert Journal(tmp_path / "missing").all() == []


def test_a_damaged_note_is_none(tmp_path: Path) -> None:
    """It is made anew by the next run, so nobody has to be bothered."""
    journal = Journal(tmp_path)
    journal.note(ROWS, executed=True, seconds=1.0)
    (file,) = (tmp_path / "runs").rglob("*.json")
    file.write_text(file.read_text()[:40])
    assert journal.last("shop", "training_set") is None
    journal.note(ROWS, executed=False, seconds=0.0)
    assert journal.last("shop", "training_set") is not None


def test_a_disk_that_refuses_a_note_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file where the folder should be")
    Journal(tmp_path).note(ROWS, executed=True, seconds=1.0)
    assert Journal(tmp_path).last("shop", "training_set") is None


@pytest.mark.parametrize("part", ["data", "definitions", "parameters", "code", "libraries"])
def test_each_part_of_the_inputs_is_in_the_key(part: str) -> None:
    assert ROWS.model_copy(update={part: {"something": "else"}}).key != ROWS.key


def test_whose_inputs_they_are_is_not_in_the_key() -> None:
    """Two use cases with the same definitions share a result; two stages never do."""
    assert ROWS.model_copy(update={"use_case": "other"}).key == ROWS.key
    assert ROWS.model_copy(update={"stage": "other"}).key != ROWS.key


def test_nothing_is_noted_of_what_is_told_not_to_be(tmp_path: Path) -> None:
    """By this thread and until then; another one notes meanwhile."""
    journal = Journal(tmp_path)
    with unnoted():
        journal.note(ROWS, executed=True, seconds=1.0)
        other = Thread(target=journal.note, args=(MODEL,), kwargs={"executed": True, "seconds": 1.0})
        other.start()
        other.join()
    assert [use.inputs for use in journal.all()] == [MODEL]
    journal.note(ROWS, executed=True, seconds=1.0)
    assert journal.last("shop", "training_set") is not None
