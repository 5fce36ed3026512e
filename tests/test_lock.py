"""The two files of pinned versions agree, with each other and with what the project asks for."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCK = (ROOT / "requirements.txt").read_text()
CONSTRAINTS = (ROOT / "constraints.txt").read_text()
PYTHONS = ("3.11.7", "3.12.1", "3.13.0")
INSTALLED = ("dev", "spark", "ray")  # the extras that CI installs: .ci/lock names them


def test_both_files_hold_the_same_versions() -> None:
    locked = [line.removesuffix(" \\") for line in LOCK.splitlines() if re.match(r"\w", line)]
    assert locked == CONSTRAINTS.splitlines()


def test_every_locked_version_has_hashes() -> None:
    without = [
        found[0].splitlines()[0]
        for found in re.finditer(r"^\w.*(?:\n(?!\w).*)*", LOCK, re.MULTILINE)
        if not re.search(r"--hash=sha256:[0-9a-f]{64}", found[0])
    ]
    assert without == []


def test_no_address_stands_in_them() -> None:
    """Where a file was fetched is of the machine that fetched it; its hash is not."""
    assert [line for line in (LOCK + CONSTRAINTS).splitlines() if "/" in line or line.startswith("-")] == []


def test_what_the_project_asks_for_is_pinned_as_it_asks() -> None:
    """On each Python that CI runs. The other way round is `pip check`, which .ci/install says."""
    pinned = [Requirement(line) for line in CONSTRAINTS.splitlines()]
    for python in PYTHONS:
        found = {
            canonicalize_name(pin.name): pin.specifier
            for pin in pinned
            if pin.marker is None or pin.marker.evaluate({"python_full_version": python})
        }
        for asked in _asked():
            version = str(found[canonicalize_name(asked.name)]).removeprefix("==")
            assert version in asked.specifier, f"{asked}: {version} is pinned for {python}"


def _asked() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"]
    asked = [
        Requirement(line) for line in project["project"]["dependencies"] + project["build-system"]["requires"]
    ]
    wanted = list(INSTALLED)
    for extra in wanted:  # grows: an extra may name others of ours
        for requirement in map(Requirement, extras[extra]):
            if requirement.name == project["project"]["name"]:
                wanted += requirement.extras
            else:
                asked.append(requirement)
    return asked
