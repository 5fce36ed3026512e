"""A gc that is killed at any step leaves nothing half-removed that anybody takes for whole."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from mlops_core.domain.digest import digest_file
from mlops_core.domain.inputs import Inputs
from mlops_core.domain.receipts import ApprovalReceipt
from mlops_core.history import EventHistory, stored_versions
from mlops_core.workspace import Workspace
from tests.garbage.killed_gc import retention_of
from tests.garbage.store import NAME, shop
from tests.stages.shop import MemoryEngines, purchases

pytestmark = pytest.mark.live

ROOT = Path(__file__).parents[2]
INPUTS = [Inputs(stage="stage", use_case=NAME, data={"rows": str(number)}) for number in range(3)]


def made(workspace: Workspace, inputs: Inputs) -> int:
    """Make an output of two files; how often that was needed."""
    calls = []

    def make(folder: Path) -> ApprovalReceipt:
        calls.append(folder)
        (folder / "model").mkdir()
        (folder / "model" / "weights").write_text(inputs.data["rows"])
        return ApprovalReceipt(status="not wanted", why=inputs.data["rows"])

    workspace.produce(inputs, ApprovalReceipt, make)
    return len(calls)


def filled(home: Path) -> None:
    """A home with garbage of every kind that lies on the disk, and with what is kept."""
    workspace = Workspace(home)
    history = EventHistory(shop(), MemoryEngines(workspace))
    for seed in range(2):
        pq.write_table(purchases(seed=seed, customers=5), home.parent / f"{seed}.parquet")
        history.bring_in(shop().sources[0], home.parent / f"{seed}.parquet")
    for inputs in INPUTS:
        made(workspace, inputs)
    for name in ("1-0123456789ab", ".draft-2-0123456789ab"):
        (home / "releases" / NAME / name).mkdir(parents=True)
        (home / "releases" / NAME / name / "release.json").write_text("{}")


def check(home: Path) -> None:
    """What is there is whole, and events that are said to be present are."""
    workspace = Workspace(home)
    assert workspace.find(INPUTS[-1], ApprovalReceipt) is not None
    for inputs in INPUTS[:-1]:
        folder = workspace.folder(inputs)
        assert not folder.exists() or workspace.find(inputs, ApprovalReceipt) is not None
    (events,) = (home / "features" / NAME).iterdir()
    for version in stored_versions(workspace, events):
        file = workspace.path(version.uri)
        assert not version.present or digest_file(file) == version.file_digest


def test_killed_before_any_step_the_rest_is_removed_by_the_next(tmp_path: Path) -> None:
    """Each time on a copy of the same home; until a gc comes to its end."""
    home = tmp_path / "home"
    home.mkdir()
    filled(home)
    killed = 0
    while True:
        copy = tmp_path / "copy"
        shutil.copytree(home, copy)
        words = [sys.executable, "-m", "tests.garbage.killed_gc", str(copy), str(killed + 1)]
        code = subprocess.run(words, cwd=ROOT, check=False).returncode  # noqa: S603 - our own words
        check(copy)
        for one in retention_of(copy).garbage():
            assert one.remove()
        assert retention_of(copy).garbage() == []
        check(copy)
        assert sorted(path.name for path in (copy / "stages" / "stage").iterdir()) == [INPUTS[-1].key[:16]]
        assert [made(Workspace(copy), inputs) for inputs in INPUTS] == [1, 1, 0]
        shutil.rmtree(copy)
        if code == 0:
            break
        assert code == 9
        killed += 1
    assert killed > 10
