"""Outputs of stages are whole or absent, and are never made twice."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mlops_core.domain.value import Value
from mlops_core.errors import MlopsError
from mlops_core.workspace import Workspace

KEY = "0123456789abcdef" * 4


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
    first = space.produce("stage", KEY, Note, make)
    assert space.produce("stage", KEY, Note, make) == first
    assert make.calls == 1
    assert space.path(space.placed("stage", KEY, "data")).read_text() == "made"


@pytest.mark.parametrize("file", ["data", "receipt.json"])
def test_a_changed_byte_is_noticed_and_mended(
    tmp_path: Path, file: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Damage is told in the log and the output is made again."""
    space, make = Workspace(tmp_path), Maker()
    space.produce("stage", KEY, Note, make)
    path = space.path(space.placed("stage", KEY, file))
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with caplog.at_level(logging.WARNING):
        space.produce("stage", KEY, Note, make)
    assert make.calls == 2
    assert "was changed; making it again" in caplog.text
    assert space.find("stage", KEY, Note) == Note(text="made")


def test_a_file_that_was_added_is_damage_too(tmp_path: Path) -> None:
    """What a reader of the folder would see must be what the stage made."""
    space = Workspace(tmp_path)
    space.produce("stage", KEY, Note, Maker())
    space.path(space.placed("stage", KEY, "extra")).write_text("?")
    assert space.find("stage", KEY, Note) is None


def test_a_failing_stage_leaves_nothing(tmp_path: Path) -> None:
    """No output, no draft; the next attempt starts clean."""

    def fail(folder: Path) -> Note:
        (folder / "half").write_text("half")
        raise ValueError("no")

    space = Workspace(tmp_path)
    with pytest.raises(ValueError, match="no"):
        space.produce("stage", KEY, Note, fail)
    assert list((tmp_path / "stages" / "stage").iterdir()) == []


def test_a_killed_stage_is_debris_that_the_next_run_removes(tmp_path: Path) -> None:
    """SIGKILL in the middle of making; then the same again succeeds and leaves one folder."""
    code = (
        "import os, signal, sys; from pathlib import Path; from mlops_core.workspace import Workspace\n"
        "def make(folder):\n"
        "    (folder / 'half').write_text('half'); os.kill(os.getpid(), signal.SIGKILL)\n"
        f"Workspace(Path({str(tmp_path)!r})).produce('stage', {KEY!r}, None, make)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False)  # noqa: S603 - our own code
    assert done.returncode < 0
    assert [path.name for path in (tmp_path / "stages" / "stage").iterdir()] == [f".{KEY[:16]}.draft"]
    Workspace(tmp_path).produce("stage", KEY, Note, Maker())
    assert [path.name for path in (tmp_path / "stages" / "stage").iterdir()] == [KEY[:16]]


def test_two_that_want_the_same_do_the_work_once(tmp_path: Path) -> None:
    """The second waits for the first and takes its output."""
    make = Maker()
    started = threading.Barrier(2)

    def work() -> None:
        started.wait()
        Workspace(tmp_path).produce("stage", KEY, Note, make)

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
        space.produce("stage", KEY, Note, fill)
    assert list((tmp_path / "stages" / "stage").iterdir()) == []


def test_a_file_where_the_state_folder_should_be_is_named(tmp_path: Path) -> None:
    """The message says what stands in the way."""
    (tmp_path / "home").write_text("")
    with pytest.raises(MlopsError, match=r"cannot write to the state folder .*home"):
        Workspace(tmp_path / "home").produce("stage", KEY, Note, Maker())


def test_uris_survive_moving_the_state_folder(tmp_path: Path) -> None:
    """Receipts name places relative to the folder."""
    space = Workspace(tmp_path / "old")
    uri = space.placed("stage", KEY, "data")
    space.produce("stage", KEY, Note, Maker())
    os.rename(tmp_path / "old", tmp_path / "new")  # noqa: PTH104 - as `mv` does
    assert Workspace(tmp_path / "new").path(uri).read_text() == "made"
