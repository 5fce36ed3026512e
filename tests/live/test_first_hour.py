"""Where a first delivery breaks off, by Ctrl-C or a full disk: one sentence, and the same command goes on."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.every_point import sample

pytestmark = pytest.mark.live

ROOT = Path(__file__).parents[2]
RUN = [sys.executable, "-m", "mlops_core.cli", "run", "churn"]
COMMANDS = {"mlops run": RUN, "flow": [sys.executable, str(ROOT / "flows/churn.py")]}
STAGES = ("training_set", "model_evaluation", "model_registry")
BREAKS = [(after, command) for after in STAGES for command in COMMANDS]
NEW = (
    "stages/model_evaluation",
    "stages/gate",
    "mlflow",
    "releases",
    "ledger.db",
    "ledger.db-wal",
    "ledger.db-shm",
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder that holds what training made, and nothing later."""
    home = tmp_path_factory.mktemp("trained") / "state"
    done = run_at(home, "--quiet")
    assert done.returncode == 0, done.stderr
    for name in NEW:
        shutil.rmtree(home / name, ignore_errors=True)
        (home / name).unlink(missing_ok=True)
    return home


def at(home: Path) -> dict[str, str]:
    return {**os.environ, "MLOPS_HOME": str(home), "PREFECT_HOME": str(home.parent / "prefect")}


def run_at(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*RUN, *words], env=at(home), capture_output=True, text=True, check=False)  # noqa: S603 - ours


def system(*words: str) -> None:
    subprocess.run(["/usr/bin/env", *words], check=True)  # noqa: S603 - the words of the test below


def again(home: Path) -> None:
    """The same command ends well, and leaves nothing half-written."""
    done = run_at(home, "--quiet")
    assert done.returncode == 0, done.stderr
    assert "churn version 1 is " in done.stdout
    assert [*home.rglob(".*.draft"), *home.glob(".scratch-*"), *home.rglob(".*.new")] == []


@pytest.mark.parametrize(("after", "command"), sample(BREAKS, 3, 1))
def test_ctrl_c_is_one_sentence_and_the_same_again_goes_on(
    after: str, command: str, trained: Path, tmp_path: Path
) -> None:
    home = tmp_path / "state"
    shutil.copytree(trained, home)
    with subprocess.Popen(  # noqa: S603 - one of the two above
        COMMANDS[command],
        env=at(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=tmp_path,
    ) as process:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if after in line and "inished" in line:
                process.send_signal(signal.SIGINT)
                break
        rest = process.stdout.read()
    assert process.returncode == 130, "".join(said) + rest
    assert "interrupted; " in rest.splitlines()[-1]
    assert "Traceback" not in "".join(said) + rest
    again(home)


@pytest.mark.skipif(os.getuid() != 0 or sys.platform != "linux", reason="mounts a small disk, which root may")
@pytest.mark.parametrize(("free", "stage"), sample([(40, "model_evaluation"), (900, "model_registry")], 2, 1))
def test_a_full_disk_is_one_sentence_and_with_room_the_same_again_goes_on(
    free: int, stage: str, trained: Path, tmp_path: Path
) -> None:
    """`free` kilobytes are left when it begins: enough for all that is before `stage`."""
    disk = tmp_path / "disk"
    disk.mkdir()
    system("mount", "-t", "tmpfs", "-o", "size=60m", "none", str(disk))
    try:
        home = disk / "state"
        shutil.copytree(trained, home)
        with (disk / "filler").open("wb") as filler:
            filler.write(bytes(shutil.disk_usage(disk).free - free * 1024))
        done = run_at(home)
        assert done.returncode == 1, done.stderr
        assert f"{stage}: failed" in done.stderr
        assert "disk is full" in done.stderr.splitlines()[-1]
        assert "Traceback" not in done.stderr
        (disk / "filler").unlink()
        again(home)
    finally:
        system("umount", "-l", str(disk))
