"""Scenarios of ci.yml; `.ci/run` is who calls its scripts in full.

Here installing is left out, lint looks at all files but types at few, tests are two files, and
coverage, package, image and docs are stand-ins that leave the files which are kept. Each Python of the
matrix has an environment of its own with what these tests want; see `pythons`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from benchmarks.workflows.checkout import commit
from benchmarks.workflows.edits import replaced, stand_in
from benchmarks.workflows.pythons import TESTED, pythons
from benchmarks.workflows.scenario import Run, Scenario

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.workflows.world import World

__all__ = ["scenarios"]

_LEFT = {
    "coverage": "mkdir -p build/coverage && echo '| all | 100% |' > build/coverage/coverage.md",
    "package": "mkdir -p dist && touch dist/a.whl dist/a.tar.gz dist/sbom.cdx.json",
    "image": "true",
    "docs": "mkdir -p build/site && touch build/site/index.html",
}
_TESTS = "tests/dag/test_dag_report.py tests/dag/test_dag_task.py"
_CPU = [f"test cpu {version}" for version in TESTED]
_GPU = [f"test gpu {version}" for version in TESTED]


def scenarios() -> Iterator[Scenario]:
    """All of them."""
    own_python = {"each cell of the matrix ran under its own Python": _own_pythons}
    yield Scenario("a push to main, all well", (_push(_reduced),), {**own_python, "attested": _attested})
    yield Scenario(
        "a failing test",
        (_push(_failing_test, failed=frozenset({*_CPU, "ci"}), skipped=frozenset({"attest"})),),
        {"says which": lambda world: "test_that_fails" in world.said(_CPU[0])},
    )
    yield Scenario(
        "a lint finding",
        (_push(_finding, failed=frozenset({"lint", "ci"}), skipped=frozenset({"attest"})),),
        {"says which": lambda world: "F401" in world.said("lint"), **own_python},
    )
    yield Scenario(
        "a runner with a GPU is named",
        (_push(_with_gpu, variables={"MLOPS_GPU_RUNNER": "gpu"}),),
        {"the GPU's cells looked at it": lambda world: all("made-up GPU" in world.said(one) for one in _GPU)},
    )


def _push(before: object, **more: object) -> Run:
    return Run(
        "ci",
        event="push",
        payload=lambda _: {"ref": "refs/heads/main", "repository": {"private": False}},
        environment=_environment,
        before=before,  # type: ignore[arg-type]  # one of the functions below
        **more,  # type: ignore[arg-type]  # fields of a run
    )


def _environment(world: World) -> Mapping[str, str]:
    return {
        "PYTHONS": str(pythons()),
        "PYTEST_ADDOPTS": f"-n 0 -p no:cacheprovider {_TESTS}",
        "MLOPS_INSTALLED": "true",
        "RUFF_NO_CACHE": "true",
        "MYPY_CACHE_DIR": str(world.base.parent / "mypy"),  # shared by the scenarios
    }


def _reduced(world: World) -> None:
    for script, leaves in _LEFT.items():
        stand_in(world, script, leaves=leaves)
    project = (world.repository / "pyproject.toml").read_text()
    files = re.search(r"^files = \[.*\]$", project, re.MULTILINE)
    assert files is not None, "pyproject.toml names no files for mypy"
    replaced(world, "pyproject.toml", files[0], 'files = ["mlops_core/dag", "mlops_core/errors.py"]')


def _failing_test(world: World) -> None:
    _reduced(world)
    with (world.repository / _TESTS.partition(" ")[0]).open("a") as file:
        file.write('\n\ndef test_that_fails() -> None:\n    assert len("1") == 2\n')
    commit(world.repository, "a failing test")


def _finding(world: World) -> None:
    _reduced(world)
    replaced(world, "mlops_core/dag/__init__.py", "from mlops_core", "import os\n\nfrom mlops_core")


def _with_gpu(world: World) -> None:
    _reduced(world)
    world.command("nvidia-smi", "echo 'a made-up GPU'")


def _own_pythons(world: World) -> bool:
    return all(f"Python {version}." in world.said(f"test cpu {version}") for version in TESTED)


def _attested(world: World) -> bool:
    return "dist/a.whl" in world.said("attest")
