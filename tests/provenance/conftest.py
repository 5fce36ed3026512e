"""Small packages made up for a test."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from mlops_core.provenance import SourceTree

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Mapping[str, str]], Path]:
    """Write the package `pkg` of these files by path, and return its folder."""

    def written(files: Mapping[str, str]) -> Path:
        root = tmp_path / "pkg"
        for name, text in {"__init__.py": "", **files}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(dedent(text))
        return root

    return written


@pytest.fixture
def used(write: Callable[[Mapping[str, str]], Path]) -> Callable[..., dict[str, str]]:
    """What roots use (by default `pkg.main:stage`) in the package of these files."""

    def found(files: Mapping[str, str], *roots: str, aside: tuple[str, ...] = ()) -> dict[str, str]:
        tree = SourceTree(write(files), "pkg", aside=aside)
        return tree.used_by(*(roots or ("pkg.main:stage",)))

    return found


@pytest.fixture(autouse=True)
def nothing_found_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a new process: what equal sources said to another test is not known."""
    monkeypatch.setattr("mlops_core.provenance.code._found_before", {})
