"""One byte flipped in any file of a release, or of the model it is made from: refused, and the file named."""

from __future__ import annotations

import json
import logging
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import pytest

from mlops_core.adapters.deployer.local import LocalDeployer
from mlops_core.adapters.trainer.sklearn import SklearnTrainer
from mlops_core.domain.digest import digest_file
from mlops_core.domain.release import Release
from mlops_core.errors import IntegrityError
from mlops_core.promotion import prepared, registered
from mlops_core.serving.follower import ReleaseFollower
from mlops_core.settings import Settings
from mlops_core.wiring import ConfiguredEngines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.conftest import Terminal

pytestmark = pytest.mark.live  # two deliveries by the real engines

DOCUMENTS = ("decision.json", "evaluation.json", "evidence.html", "evidence.json", "figures.json")
MODEL = ("model/model.json", "model/model.skops")
FILES = (
    "release.json",
    *MODEL,
    *(f"model/documents/{name}" for name in (*DOCUMENTS, "policy.json", "report.html")),
)
REGISTERED = ("documents/evaluation.json", "documents/figures.json", "documents/report.html")


@pytest.fixture
def engines(site: Terminal) -> ConfiguredEngines:
    """The engines of the site, with nothing kept in memory."""
    return ConfiguredEngines(Settings(home=site.home, actor="ana"))


@contextmanager
def flipped(file: Path, share: float = 0.5) -> Iterator[None]:
    """Another bit in the byte that lies so far into the file, until the block is left."""
    content = file.read_bytes()
    place = round(share * (len(content) - 1))
    file.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    try:
        yield
    finally:
        file.write_bytes(content)


def test_no_file_of_a_release_is_in_nobodys_digest(released: Path) -> None:
    """The pointer has the manifest's, the manifest that of every other file, and there are no others."""
    there = {path.relative_to(released).as_posix() for path in released.rglob("*") if path.is_file()}
    assert there == set(FILES)
    manifest = Release.model_validate_json((released / "release.json").read_bytes())
    assert {f"model/{name}" for name in manifest.files} == there - {"release.json"}
    pointer = json.loads((released.parent / "current.json").read_bytes())
    assert pointer["manifest_digest"] == digest_file(released / "release.json")
    beside = {path.name for path in released.parent.iterdir() if path.is_file()}
    assert beside <= {"current.json", ".lock"}


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("name", FILES)
def test_a_release_is_refused_wherever_it_is_asked_for(
    engines: ConfiguredEngines, released: Path, name: str, share: float
) -> None:
    """To be found, to be current, to be activated, to be loaded."""
    deployer = engines.releases
    release = deployer.current("churn")
    assert release is not None
    where = rf"{released.name}/{name} "
    with flipped(released / name, share):
        with pytest.raises(IntegrityError, match=where):
            deployer.current("churn")
        with pytest.raises(IntegrityError, match=where):
            deployer.find("churn", release.version, release.digest)
        with pytest.raises(IntegrityError, match=where):
            deployer.activate(release)
        with pytest.raises(IntegrityError, match=where):
            deployer.load(release)
    assert deployer.current("churn") == release


@pytest.mark.parametrize("name", FILES)
def test_no_prediction_and_no_evidence_come_from_it(site: Terminal, released: Path, name: str) -> None:
    with flipped(released / name):
        for command in (("predict", "churn", "--id", "1"), ("evidence", "churn@production", "--json")):
            said = site(*command)
            assert (said.code, said.out) == (1, "")
            assert f"{released.name}/{name} " in said.err
    assert site("predict", "churn", "--id", "1").code == 0


@pytest.mark.parametrize("name", FILES)
def test_a_server_goes_on_with_what_it_serves(
    engines: ConfiguredEngines, released: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It serves version 1 when version 2 becomes current, with a byte that is another."""
    deployer = engines.releases
    second = deployer.current("churn")
    assert second is not None
    deployer.activate(prepared(engines, registered(engines, "churn", 1)))
    follower = ReleaseFollower(name="churn", source=deployer, store=engines.online)
    follower.refresh()
    deployer.activate(second)
    with flipped(released / name), caplog.at_level(logging.ERROR):
        follower.refresh()
    assert follower.predictor().release.version == 1
    assert f"{released.name}/{name} " in caplog.text
    assert "version 1 is served" in caplog.text
    fresh = ReleaseFollower(name="churn", source=deployer, store=engines.online)
    fresh.refresh()
    assert fresh.predictor().release.version == 2


def test_no_byte_of_the_pointer_can_be_another(engines: ConfiguredEngines, released: Path) -> None:
    """Each in turn: what it leads to then is refused, and the pointer is named."""
    pointer = released.parent / "current.json"
    last = len(pointer.read_bytes()) - 1
    for place in range(last + 1):
        with flipped(pointer, place / last), pytest.raises(IntegrityError, match=r"current\.json"):
            engines.releases.current("churn")
    assert engines.releases.current("churn") is not None


def test_every_registered_file_has_its_digest(engines: ConfiguredEngines) -> None:
    """Beside them lies only what MLflow's own loaders read, and nothing here does."""
    package = registered_folder(engines).parent
    there = {path.relative_to(package).as_posix() for path in package.rglob("*") if path.is_file()}
    mlflows = {"MLmodel", "conda.yaml", "python_env.yaml", "requirements.txt"}
    assert there - mlflows == {*MODEL, *(f"model/{name}" for name in REGISTERED)}


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("name", ["model.json", "model.skops", *REGISTERED])
def test_a_registered_model_is_refused_when_it_is_released(
    engines: ConfiguredEngines, tmp_path: Path, name: str, share: float
) -> None:
    """At a target that has no release of it yet, which gets none."""
    elsewhere = ConfiguredEngines(Settings(home=engines.workspace.home, actor="ana"))
    elsewhere.releases = LocalDeployer(home=tmp_path / "target", trainer=SklearnTrainer())
    version = registered(engines, "churn", 2)
    with (
        flipped(registered_folder(engines) / name, share),
        pytest.raises(IntegrityError, match=rf"{name} was changed after it was registered"),
    ):
        prepared(elsewhere, version)
    assert not list((tmp_path / "target").rglob("release.json"))
    assert prepared(elsewhere, version).version == 2


def test_evidence_of_a_changed_model_is_not_made_anew(site: Terminal, engines: ConfiguredEngines) -> None:
    """Nor from a report that is not the registered one, where no release is there to be copied from."""
    (first,) = (site.home / "releases" / "churn").glob("1-*")
    before = site("evidence", "churn@1", "--json").out
    shutil.rmtree(first)
    for name in REGISTERED:
        with flipped(registered_folder(engines, 1) / name):
            said = site("evidence", "churn@1", "--json")
        assert (said.code, said.out) == (1, "")
        assert f"{name} was changed after it was registered" in said.err
    assert site("evidence", "churn@1", "--json").out == before


def registered_folder(engines: ConfiguredEngines, number: int = 2) -> Path:
    """Where MLflow has the files of a version."""
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{engines.workspace.home / 'mlflow' / 'mlflow.db'}")
    source = client.get_model_version("churn", str(number)).source
    return Path(unquote(urlsplit(source).path)) / "model"
