"""docs/serving.md: its addresses, settings and figures are those of the server."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks.serving_faults.__main__ import HEAD
from mlops_core.adapters.deployer.memory import MemoryDeployer
from mlops_core.adapters.online_store.memory import MemoryOnlineStore
from mlops_core.adapters.trainer.memory import MemoryTrainer
from mlops_core.serving.app import create_app
from mlops_core.serving.arms import Arms
from mlops_core.serving.follower import ReleaseFollower
from mlops_core.serving.metrics import ServerMetrics
from mlops_core.settings import Settings
from mlops_core.target_settings import ServerSettings

if TYPE_CHECKING:
    from fastapi import FastAPI

PAGE = (Path(__file__).parents[1] / "docs" / "serving.md").read_text()


@pytest.fixture
def follower() -> ReleaseFollower:
    """Of nothing yet."""
    return ReleaseFollower(
        name="churn", source=MemoryDeployer(MemoryTrainer()), store=MemoryOnlineStore(), interval=60
    )


@pytest.fixture
def app(follower: ReleaseFollower) -> FastAPI:
    """The application."""
    return create_app(follower=follower)


def test_its_addresses_are_those_of_the_server(app: FastAPI) -> None:
    """All of them, and no other."""
    described = {
        f"{method.upper()} {path}" for path, methods in app.openapi()["paths"].items() for method in methods
    }
    told = set(re.findall(r"`((?:GET|POST) /[^`]*)`", PAGE))
    assert told == described | {"GET /openapi.json"}


def test_its_settings_are_those_of_the_server() -> None:
    """With their defaults."""
    known = {f"MLOPS_{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(r"\bMLOPS_[A-Z_]+", PAGE)) <= known
    rows = dict(re.findall(r"^\| `(MLOPS_\w+)` \| (\S+) \|", PAGE, re.MULTILINE))
    for name, told in rows.items():
        default = ServerSettings.model_fields[name.removeprefix("MLOPS_").lower()].default
        assert told.strip("`") == (
            "none" if default is None else f"{default:g}" if isinstance(default, float) else str(default)
        )
    assert {"MLOPS_TOKEN", "MLOPS_RATE_LIMIT", "MLOPS_MAX_BODY", "MLOPS_MAX_REQUESTS", "MLOPS_DRAIN"} <= set(
        rows
    )


def test_its_figures_are_those_of_the_server(follower: ReleaseFollower) -> None:
    """But for a trial's, which are there only while there is one."""
    given = {metric.name for metric in ServerMetrics(Arms(follower)).collect()}
    told = {name.removesuffix("_total") for name in re.findall(r"`(mlops_[a-z_]+)`", PAGE)}
    assert told >= given
    assert {name for name in told - given if "trial" not in name} == set()


def test_its_line_of_a_log_is_one() -> None:
    """JSON, with the fields that a line has."""
    (line,) = re.findall(r"```json\n(.*)\n```", PAGE)
    assert {"timestamp", "request_id", "route", "status", "ms", "rows", "version", "digest"} <= set(
        json.loads(line)
    )


def test_its_table_of_faults_is_of_this_benchmark() -> None:
    """The same columns, and nothing but connections broke."""
    _, _, table = PAGE.partition("<!-- python -m benchmarks.serving_faults -->\n")
    assert tuple(table.splitlines()[:2]) == HEAD
    assert [row.split("|")[4].strip() for row in table.splitlines()[2:6]] == ["0", "0", "0", "8"]
