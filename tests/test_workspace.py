"""Outputs of stages are whole or absent, and are never made twice."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mlops_core.domain.inputs import Inputs
from mlops_core.domain.value import Value
from mlops_core.errors import MlopsError
from mlops_core.workspace import Workspace

INPUTS = Inputs(stage="stage", use_case="shop", data={"rows": "1"})
OTHERS = Inputs(stage="stage", use_case="shop", data={"rows": "2"})
KEY = INPUTS.key


class Note(Value):
    """A receipt for these tests."""

    text: str


class Maker:
    """Makes an output, and counts how often it had to."""

    def __init__(self, text: str = "made") -> None:
        self.text, self.calls = text, 0

    def __call__(self, folder: Path) -> Note:
        self.calls += 1
        (folder / "data").write_text(self.text)
        return Note(text=self.text)


def test_an_output_is_made_once(tmp_path: Path) -> None:
    """The second time its receipt comes back and nothing runs."""
    space, make = Workspace(tmp_path), Maker()
    first = space.produce(INPUTS, Note, make)
    assert space.produce(INPUTS, Note, make) == first
    assert make.calls == 1
    assert space.path(space.placed(INPUTS, "data")).read_text() == "made"


@pytest.mark.parametrize("file", ["data", "receipt.json"])
def test_a_changed_byte_is_noticed_and_mended(
    tmp_path: Path, file: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Damage is told in the log and the output is made again."""
    space, make = Workspace(tmp_path), Maker()
    space.produce(INPUTS, Note, make)
    path = space.path(space.placed(INPUTS, file))
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with caplog.at_level(logging.WARNING):
        space.produce(INPUTS, Note, make)
    assert make.calls == 2
    assert "was changed; making it again" in caplog.text
    assert space.find(INPUTS, Note) == Note(text="made")


def test_a_file_that_was_added_is_damage_too(tmp_path: Path) -> None:
    """What a reader of the folder would see must be what the stage made."""
    space = Workspace(tmp_path)
    space.produce(INPUTS, Note, Maker())
    space.path(space.placed(INPUTS, "extra")).write_text("?")
    assert space.find(INPUTS, Note) is None


def test_a_failing_stage_leaves_nothing(tmp_path: Path) -> None:
    """No output, no draft; the next attempt starts clean."""

    def fail(folder: Path) -> Note:
        (folder / "half").write_text("half")
        raise ValueError("no")

    space = Workspace(tmp_path)
    with pytest.raises(ValueError, match="no"):
        space.produce(INPUTS, Note, fail)
    assert list((tmp_path / "stages" / "stage").iterdir()) == []


def killed(home: Path, code: str) -> None:
    """Run lines with `space` and `die()` at hand in a process of its own, which they have to kill."""
    lines = [
        "import os, signal",
        "from pathlib import Path",
        "from mlops_core.domain.inputs import Inputs",
        "from mlops_core.workspace import Workspace",
        f"space = Workspace(Path({str(home)!r}))",
        "def die(): os.kill(os.getpid(), signal.SIGKILL)",
        code,
    ]
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], check=False)  # noqa: S603 - our own code
    assert done.returncode == -signal.SIGKILL


HALF_MADE = """
def make(folder):
    (folder / 'half').write_text('half')
    die()
space.produce(Inputs(stage='stage', use_case='shop', data={'rows': '1'}), None, make)
"""


@pytest.mark.parametrize("inputs", [INPUTS, OTHERS], ids=["the same", "another"])
def test_a_killed_stage_is_debris_that_the_next_removes(tmp_path: Path, inputs: Inputs) -> None:
    """SIGKILL in the middle of making; then the stage is run again, and leaves one folder."""
    killed(tmp_path, HALF_MADE)
    assert [path.name for path in (tmp_path / "stages" / "stage").iterdir()] == [f".{KEY[:16]}.draft"]
    Workspace(tmp_path).produce(inputs, Note, Maker())
    assert [path.name for path in (tmp_path / "stages" / "stage").iterdir()] == [inputs.key[:16]]


def test_a_stage_that_is_being_made_is_no_debris(tmp_path: Path) -> None:
    """While one output is made, others of the same stage are made and leave it alone."""
    space = Workspace(tmp_path)

    def make(folder: Path) -> Note:
        (folder / "data").write_text("mine")
        Workspace(tmp_path).produce(OTHERS, Note, Maker())
        return Note(text=(folder / "data").read_text())

    assert space.produce(INPUTS, Note, make) == Note(text="mine")
    assert space.find(OTHERS, Note) is not None


def test_scratch_folders_are_empty_apart_and_gone_afterwards(tmp_path: Path) -> None:
    """Several at once, in one thread too, do not see each other."""
    space = Workspace(tmp_path / "home")
    with space.scratch() as one, space.scratch() as other:
        (one / "file").write_text("one")
        assert one != other
        assert list(other.iterdir()) == []
    assert list(space.home.glob(".scratch-*")) == []


def test_a_killed_scratch_folder_is_removed_by_the_next(tmp_path: Path) -> None:
    """What two dead processes' worth of work left is gone, what a living one holds stays."""
    space = Workspace(tmp_path)
    with space.scratch() as mine:
        (mine / "file").write_text("mine")
        killed(
            tmp_path,
            "with space.scratch() as one, space.scratch() as two:\n"
            "    (one / 'half').write_text('half'); (two / 'half').write_text('half'); die()",
        )
        assert len(list(tmp_path.glob(".scratch-*"))) == 3
        with space.scratch() as next_one:
            assert list(next_one.iterdir()) == []
            assert set(tmp_path.glob(".scratch-*")) == {mine, next_one}
        assert (mine / "file").read_text() == "mine"


def test_two_that_want_the_same_do_the_work_once(tmp_path: Path) -> None:
    """The second waits for the first and takes its output."""
    make = Maker()
    started = threading.Barrier(2)

    def work() -> None:
        started.wait()
        Workspace(tmp_path).produce(INPUTS, Note, make)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert make.calls == 1


def test_a_full_disk_is_said_in_a_sentence(tmp_path: Path) -> None:
    """The folder, the reason and the remedy are named, and nothing is left."""

    def fill(folder: Path) -> Note:
        with Path("/dev/full").open("w") as full:
            full.write("x")
        return Note(text=str(folder))

    space = Workspace(tmp_path)
    with pytest.raises(MlopsError, match=r"the disk is full.*MLOPS_HOME"):
        space.produce(INPUTS, Note, fill)
    assert list((tmp_path / "stages" / "stage").iterdir()) == []


def test_a_file_where_the_state_folder_should_be_is_named(tmp_path: Path) -> None:
    """The message says what stands in the way."""
    (tmp_path / "home").write_text("")
    with pytest.raises(MlopsError, match=r"cannot keep state in .*home"):
        Workspace(tmp_path / "home").produce(INPUTS, Note, Maker())


def test_uris_survive_moving_the_state_folder(tmp_path: Path) -> None:
    """Receipts name places relative to the folder."""
    space = Workspace(tmp_path / "old")
    uri = space.placed(INPUTS, "data")
    space.produce(INPUTS, Note, Maker())
    os.rename(tmp_path / "old", tmp_path / "new")  # noqa: PTH104 - as `mv` does
    assert Workspace(tmp_path / "new").path(uri).read_text() == "made"
