"""What is in the wheel: the package, and nothing that only a checkout needs."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The files in a wheel of this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    words = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)  # noqa: S603 - our own words
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        return set(opened.namelist())


def test_every_file_of_the_package_is_in_the_wheel(names: set[str]) -> None:
    """Also those that are no code: data, templates, versions of other environments."""
    there = [path for path in (ROOT / "mlops_core").rglob("*") if path.is_file()]
    names_of = (path.relative_to(ROOT) for path in there)
    made = ("__pycache__", ".")  # what tools leave beside the code: bytecode, caches
    files = {one.as_posix() for one in names_of if not any(part.startswith(made) for part in one.parts)}
    assert {name for name in names if name.startswith("mlops_core/")} == files
    assert {PurePosixPath(name).suffix for name in files} > {".py", ".txt", ".parquet"}


def test_nothing_else_is_in_it(names: set[str]) -> None:
    others = {name.split("/")[1] for name in names if not name.startswith("mlops_core/")}
    assert others == {"METADATA", "RECORD", "WHEEL", "entry_points.txt"}
