"""Disks that are full or may not be written: said in our words, and harmless to what is there."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from mlops_core.domain.registry import Submission
from tests.ledger.processes import with_mount

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_core.adapters.registry.mlflow import MlflowModelRegistry

pytestmark = pytest.mark.live
Submit = Callable[..., Submission]

WORK = """
import pathlib, sys
from mlops_core.adapters.registry.mlflow import MlflowModelRegistry
from mlops_core.domain.registry import Submission
from mlops_core.errors import MlopsError
home, filler = pathlib.Path(sys.argv[1]), sys.argv[3:]
submission = Submission.model_validate_json(sys.argv[2])
registry = MlflowModelRegistry(tracking_uri=None, home=home)
def attempt():
    try:
        print("version", registry.register(submission).number)
    except MlopsError as error:
        print(type(error).__name__, error)
if filler:
    full = home / "filler"
    with full.open("wb", buffering=0) as stream:
        try:
            while stream.write(bytes(4096)):
                pass
        except OSError:
            pass
    attempt()
    full.unlink()
attempt()
print("versions", [one.number for one in registry.versions("churn")])
"""


def said(mounted: tuple[str, ...], environment: dict[str, str], *words: str) -> list[str]:
    done = subprocess.run(  # noqa: S603 - our own interpreter and script
        [*mounted, sys.executable, "-c", WORK, *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_read_only_disk_is_read(
    mlflow_registry: MlflowModelRegistry, submit: Submit, home: Path, environment: dict[str, str]
) -> None:
    """What is registered is found; whoever would register more is told where the store is."""
    mlflow_registry.register(submit())
    mounted = with_mount(f"mount --bind '{home}' '{home}'; mount -o remount,bind,ro '{home}'")
    known = submit().model_dump_json()
    assert said(mounted, environment, str(home), known) == ["version 1", "versions [1]"]
    refused, versions = said(mounted, environment, str(home), submit("second").model_dump_json())
    assert refused.startswith("MlopsError the registry sqlite:///")
    assert "Read-only file system" in refused
    assert f"Look at the folder {home}/mlflow" in refused
    assert versions == "versions [1]"


def test_a_full_disk_is_named_and_the_next_attempt_succeeds(
    submit: Submit, home: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    """Nothing is registered while there is no room; when there is, the same again is."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = with_mount(f"mount -t tmpfs -o size=16m none '{place}'; cp -r '{home}/mlflow' '{place}'")
    first, second, versions = said(mounted, environment, str(place), submit().model_dump_json(), "fill")
    assert first.startswith("MlopsError the registry sqlite:///")
    assert any(words in first for words in ("disk is full", "No space left"))
    assert (second, versions) == ("version 1", "versions [1]")
