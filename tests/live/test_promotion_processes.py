"""Promoters in processes of their own, and what the disk or another program may refuse them."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mlops_core.errors import Unavailable
from mlops_core.promotion import prepared, repair, strays
from tests.live.on_disk import desk_on_disk
from tests.promotion.desk import NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_core.domain.registry import ModelVersion
    from tests.promotion.desk import Desk

pytestmark = pytest.mark.live

PROMOTERS = 8


@pytest.fixture
def home() -> Iterator[Path]:
    """A state folder that other users can look into."""
    folder = Path(tempfile.mkdtemp(prefix="promoters-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        _set_modes(folder, 0o755, 0o644)
        shutil.rmtree(folder)


@pytest.fixture
def desk(home: Path) -> Desk:
    """Version 1 is in Production."""
    desk = desk_on_disk(home)
    desk.delivered(1)
    return desk


def passed(desk: Desk, seed: int) -> ModelVersion:
    """A version that was compared with the one in Production and passed, and lies ready."""
    version = desk.judged(seed)
    prepared(desk.engines, version)
    home: Path = desk.engines.workspace.home
    (home / f"version-{version.number}.json").write_text(version.model_dump_json())
    return version


def promoted(home: Path, *numbers: int, hindrance: str = "") -> list[str]:
    """What promoters say that began at the same moment, each in its process."""
    root = Path(__file__).parents[2]
    with ExitStack() as stack:
        started = [
            stack.enter_context(
                subprocess.Popen(  # noqa: S603 - our own words
                    [sys.executable, "-m", "tests.live.promoter", str(home), str(number), hindrance],
                    cwd=root,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for number in numbers
        ]
        for one in started:
            assert one.stdout is not None
            assert one.stdout.readline() == "ready\n"
        for one in started:
            assert one.stdin is not None
            one.stdin.write("go\n")
            one.stdin.flush()
        return [one.communicate(timeout=120)[0].strip() for one in started]


def test_of_eight_processes_at_once_one_wins(desk: Desk, home: Path) -> None:
    """The others are told who is there now; the target serves the winner, and the ledger is whole."""
    versions = [passed(desk, seed) for seed in range(2, 2 + PROMOTERS)]
    said = promoted(home, *(version.number for version in versions))
    assert said.count("won") == 1
    winner = desk.standing.production
    assert winner == versions[said.index("won")].number
    others = [one for one in said if one != "won"]
    assert all(f"but version {winner} is there now" in one for one in others), others
    assert list(desk.stages.values()).count("Production") == 1
    assert desk.served == winner
    repair(desk.engines, NAME)  # they could not reach the registry of this process
    assert strays(desk.engines, NAME) == []


@pytest.mark.parametrize(
    ("hindrance", "said"),
    [  # of what can fail, the ledger is first
        ("full", "MlopsError: cannot write to the ledger .*: the disk reports an error, a limit or a quota"),
        ("read-only", "MlopsError: cannot write to the ledger .*: permission denied"),
    ],
)
def test_what_the_disk_refuses_is_said_once_and_changes_nothing(
    desk: Desk, home: Path, hindrance: str, said: str
) -> None:
    """Mended, the same works."""
    version = passed(desk, 2)
    before = desk.standing.entries
    if hindrance == "read-only":
        _set_modes(home, 0o555, 0o444)
    (answer,) = promoted(home, version.number, hindrance=hindrance)
    assert re.match(said, answer), answer
    assert "run the same again" in answer
    assert "\n" not in answer
    assert (desk.standing.entries, desk.served) == (before, 1)
    _set_modes(home, 0o755, 0o644)
    assert promoted(home, version.number) == ["won"]
    assert (desk.standing.production, desk.served) == (2, 2)


def test_a_ledger_that_another_program_has_locked_is_said_and_nothing_changes(desk: Desk, home: Path) -> None:
    """When it is free again, the same works."""
    version = passed(desk, 2)
    hasty = desk_on_disk(home, patience=0.1)
    hasty.engines.registry = desk.engines.registry
    with closing(sqlite3.connect(home / "ledger.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(Unavailable, match=r"the ledger .*ledger\.db was locked by another process"):
            hasty.promote(version)
        other.execute("ROLLBACK")
    assert (desk.standing.production, desk.served) == (1, 1)
    assert hasty.promote(version).version == 2
    assert desk.served == 2


def _set_modes(folder: Path, folders: int, files: int) -> None:
    for path in [folder, *folder.rglob("*")]:
        path.chmod(folders if path.is_dir() else files)
