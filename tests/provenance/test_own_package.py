"""The stages of this package use what they compute with, and nothing of what only shows or keeps results."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import mlops_core
from mlops_core.provenance import STAGES, Code

ADAPTERS = {
    "offline": ("mlops_core.adapters.feature_store.duckdb:DuckDBOfflineStore",),
    "trainer": ("mlops_core.adapters.trainer.sklearn:SklearnTrainer",),
}
OTHERS = [
    ("mlops_core.adapters.feature_store.spark:SparkOfflineStore",),
    (
        "mlops_core.adapters.feature_store.feast:FeastOfflineStore",
        "mlops_core.adapters.feature_store.feast_bridge",
    ),
]


@pytest.fixture(scope="module")
def code() -> Code:
    """With DuckDB and scikit-learn."""
    return Code(ADAPTERS)


def _uses(code: Code, stage: str, folder: str) -> bool:
    return any(
        one.startswith((f"mlops_core.{folder}.", f"mlops_core.{folder}:")) for one in code.parts(stage)
    )


def test_every_stage_uses_its_own_function(code: Code) -> None:
    """And the use case, whose definitions it reads."""
    for stage in STAGES:
        assert {f"mlops_core.stages.{stage}:{stage}", "mlops_core.domain.usecase:UseCase"} <= code.parts(
            stage
        ).keys()


@pytest.mark.parametrize(
    ("folder", "users"),
    [
        ("checks", {"gate"}),
        ("metrics", {"model_training", "model_evaluation", "gate"}),
        (
            "adapters.feature_store.sql.queries",
            {"feature_store", "feature_verification", "training_set", "gate"},
        ),
        ("adapters.trainer", {"model_training", "model_evaluation", "gate"}),
        ("domain.snapshots", {"training_set"}),
    ],
)
def test_a_part_is_used_by_the_stages_that_compute_with_it(code: Code, folder: str, users: set[str]) -> None:
    """By those and no others."""
    assert {stage for stage in STAGES if _uses(code, stage, folder)} == users


OUTSIDE = (
    *("cli", "commands", "dag", "delivery", "exporters", "journal", "options", "parameters", "pipeline"),
    *("promotion", "provenance", "serving", "settings", "summary", "usecases", "wiring", "workspace"),
    *(f"adapters.{port}" for port in ("deployer", "ledger", "online_store", "registry", "reporter")),
    *(f"adapters.feature_store.{engine}" for engine in ("spark", "feast")),
)


@pytest.mark.parametrize("folder", OUTSIDE)
def test_what_shows_keeps_or_starts_is_used_by_none(code: Code, folder: str) -> None:
    """Nor are the engines that were not chosen."""
    assert [stage for stage in STAGES if _uses(code, stage, folder)] == []


@pytest.mark.parametrize("offline", OTHERS, ids=["spark", "feast"])
def test_other_engines_are_found_as_well(code: Code, offline: tuple[str, ...]) -> None:
    """They change the training set's code, and not that of training."""
    other = Code({**ADAPTERS, "offline": offline})
    assert other.of("training_set") != code.of("training_set")
    assert other.of("model_training") == code.of("model_training")
    assert {root for root in offline if ":" in root} <= other.parts("training_set").keys()
    bridges = [
        one for one in other.all_parts if one.startswith("mlops_core.adapters.feature_store.feast_bridge:")
    ]
    assert bool(bridges) == any(root.endswith("feast_bridge") for root in offline)


def test_no_engine_is_imported_to_find_out() -> None:
    """Nor any of the modules that are looked at."""
    script = f"""
import sys
from mlops_core.provenance import Code
print(len(Code({ADAPTERS!r}).all_parts))
engines = "duckdb", "numpy", "pyarrow", "sklearn", "mlops_core.stages"
print(*(name for name in engines if name in sys.modules))
"""
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    count, *loaded = done.stdout.split()
    assert int(count) > 100
    assert loaded == []


def _other_python() -> str:
    """The interpreter that OTHER_PYTHON names, or another version on the PATH that has the libraries."""
    named = os.environ.get("OTHER_PYTHON")
    if named:
        return named
    for minor in (11, 12, 13):
        found = shutil.which(f"python3.{minor}")
        if minor != sys.version_info.minor and found is not None:
            able = subprocess.run(  # noqa: S603 - an interpreter of the user's PATH, asked for a library
                [found, "-c", "import pydantic_core"], capture_output=True, check=False
            )
            if able.returncode == 0:
                return found
    pytest.skip("no other Python here has the libraries: name one of 3.11 to 3.13 by OTHER_PYTHON")


_EVERYTHING = """
import json, sys
from pathlib import Path
from mlops_core.provenance import SourceTree
root = Path(sys.argv[1])
files = (path.relative_to(root.parent).with_suffix("") for path in root.rglob("*.py"))
names = [".".join(file.parts).removesuffix(".__init__") for file in files]
print(json.dumps(SourceTree(root, "mlops_core").used_by(*names)))
"""


def _everything(python: str) -> dict[str, str]:
    """Digests of all definitions of this package, as this interpreter finds them."""
    root = Path(mlops_core.__file__).parent
    done = subprocess.run(  # noqa: S603 - an interpreter that the user named, and our own code
        [python, "-c", _EVERYTHING, str(root)],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(root.parent)},
        text=True,
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found


@pytest.mark.live
def test_another_python_finds_the_same() -> None:
    """Every definition has the same digest under another version, so nothing is trained again for it."""
    here, there = _everything(sys.executable), _everything(_other_python())
    assert len(here) > 1000
    assert there == here
