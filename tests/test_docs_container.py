"""docs/container.md: it says of the image what the Dockerfile says, and its requests are answered so."""

from __future__ import annotations

import json
import re
import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from benchmarks.image.built import ROOT
from benchmarks.image.dockerfile import pairs, steps_of
from benchmarks.image.release import use_case_of_two
from mlops_core.adapters.trainer.memory import MemoryTrainer
from mlops_core.domain.candidates import LogisticRegression
from mlops_core.domain.release import Probes, Release
from mlops_core.one_release import NoOnlineStore
from mlops_core.serving.app import create_app
from mlops_core.serving.follower import ReleaseFollower
from mlops_core.serving.loaded import Loaded
from mlops_core.settings import Settings
from tests.deployer.release_server import asked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI

PAGE = (ROOT / "docs" / "container.md").read_text()
STEPS = steps_of((ROOT / "Dockerfile").read_text())
SETTINGS = {f"MLOPS_{name}".upper() for name in Settings.model_fields}


@pytest.fixture
def app() -> FastAPI:
    """A server of the model that the page asks."""
    use_case = use_case_of_two()
    rows = np.array([[0.0, 10.0], [1.0, np.nan], [2.0, 50.0], [9.0, 70.0]])
    model = MemoryTrainer().fit(LogisticRegression(), rows, np.array([0, 0, 1, 1], dtype=np.int8))
    release = Release(
        name=use_case.name,
        version=1,
        digest=model.digest(),
        candidate="logistic",
        uri="releases/churn/1",
        released_at=datetime.now(UTC),
        use_case=use_case.model_dump_json(),
        feature_names=use_case.feature_names,
        threshold=0.5,
        probes=Probes(rows=((0.0, 10.0),), expected=tuple(model.predict(rows[:1]).tolist())),
        files={"model.json": "0" * 64},
    )
    source = Loaded(release, model)
    follower = ReleaseFollower(name=release.name, source=source, store=NoOnlineStore())
    follower.refresh()
    return create_app(follower=follower)


def requests() -> Iterator[tuple[str, Any, Any]]:
    """Path, body and answer of each request that the page shows."""
    for block in re.findall(r"^```console\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE):
        for line, answer in re.findall(r"^\$ (curl .*)\n(.*)$", block, re.MULTILINE):
            words = shlex.split(line)
            body = json.loads(words[words.index("-d") + 1]) if "-d" in words else None
            yield words[2].partition("8080")[2], body, json.loads(answer)


def test_requests_are_answered_as_the_page_shows(app: FastAPI) -> None:
    shown = list(requests())
    assert len(shown) == 3
    for path, body, wanted in shown:
        _, answer = asked(app, "GET" if body is None else "POST", path, body)
        for one in answer.get("predictions", ()):
            one["probability"] = round(one["probability"], 2)
        assert answer == wanted


def test_addresses_are_those_of_the_server(app: FastAPI) -> None:
    shown = set(re.findall(r"`(GET|POST) (/[^`]*)`", PAGE))
    there = {(method.upper(), path) for path, one in app.openapi()["paths"].items() for method in one}
    assert shown <= there
    assert {("GET", "/ping"), ("POST", "/invocations"), ("POST", "/instances")} <= shown


def test_settings_and_their_values_are_those_of_the_image() -> None:
    (told,) = re.findall(r"^\| variable \|.*\n\|[- |]*\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    rows = [[cell.strip(" `") for cell in row.split("|")[1:3]] for row in told.splitlines()]
    given = {name: value for step in STEPS if step.name == "ENV" for name, value in pairs(step.text).items()}
    final = {name: value for name, value in given.items() if name.startswith(("MLOPS_", "OMP_"))}
    assert {name: value for name, value in rows if value and name != "MLOPS_HTTP_PORT"} == final
    named = set(re.findall(r"\bMLOPS_[A-Z_]+", PAGE)) - {"MLOPS_CHURN_PORT"}
    assert named <= SETTINGS


def test_the_image_is_nobody_s_and_says_how_it_is() -> None:
    found = {step.name: step for step in STEPS}
    user = found["USER"].text
    assert f"User and group {user.partition(':')[0]}," in PAGE
    assert user.split(":") == [user.partition(":")[0]] * 2
    assert found["EXPOSE"].text == str(Settings.model_fields["http_port"].default)
    assert (found["ENTRYPOINT"].words, found["CMD"].words) == (("mlops",), ("serve",))
    assert found["HEALTHCHECK"].words[-1] == "mlops_core.serving.address"


@pytest.mark.parametrize(
    "line",
    ["ADD a b", "RUN --mount=type=cache true", "COPY --chown=1 a b", "CMD mlops serve", "VOLUME /data"],
)
def test_what_the_steps_are_not_understood_by_is_refused(line: str) -> None:
    """So that what the tests run is what an engine would."""
    with pytest.raises(ValueError, match=r"known|exec form"):
        steps_of(f"FROM base\n{line}\n")


def test_what_the_image_installs_is_pinned_as_everywhere() -> None:
    """By hashes, and in the versions that all is tested with."""
    server = (ROOT / "requirements-server.txt").read_text()
    pins = {line.removesuffix(" \\") for line in server.splitlines() if re.match(r"\w", line)}
    names = {re.sub(r" ;.*", "", pin) for pin in pins}
    constraints = {
        re.sub(r" ;.*", "", line) for line in Path(ROOT / "constraints.txt").read_text().splitlines()
    }
    assert len(names) > 50
    assert names <= constraints
    assert all("--hash=sha256:" in entry for entry in re.split(r"\n(?=\w)", server))
    assert not re.search(r"^(mlflow|prefect|duckdb|pandas|pyarrow)", server, re.MULTILINE)
