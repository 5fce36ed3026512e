"""A server of one release: what it takes for that release, and what it refuses to serve."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from mlops_core.adapters.deployer.published import PublishedReleases
from mlops_core.adapters.trainer.memory import MemoryTrainer
from mlops_core.cli import main
from mlops_core.errors import BadInput, IntegrityError, MlopsError, NotFound, Unavailable
from mlops_core.one_release import NoOnlineStore, loaded_release, online_store
from mlops_core.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlops_core.domain.release import Bundle, Release


class Lying(NamedTuple):
    """A published release, its folder and the digest of its manifest."""

    release: Release
    folder: Path
    manifest: str


@pytest.fixture
def lying(tmp_path: Path, make_bundle: Callable[..., Bundle]) -> Lying:
    """In a folder on this machine."""
    published = PublishedReleases((tmp_path / "published").as_uri(), MemoryTrainer())
    release, manifest = published.publish(make_bundle(1))
    return Lying(release, tmp_path / "published" / "churn" / f"1-{release.digest[:12]}", manifest)


def load(url: str, manifest: str | None, **more: Any) -> Release:
    """What would be served."""
    return loaded_release(url, manifest, MemoryTrainer(), patience=0.0, **more).release


def test_a_folder_and_a_url_name_the_same_release(lying: Lying, tmp_path: Path) -> None:
    temporary = set(tmp_path.iterdir())
    for url in (str(lying.folder), lying.folder.as_uri(), f"{lying.folder}/"):
        assert load(url, lying.manifest) == lying.release
    assert set(tmp_path.iterdir()) == temporary


def test_what_it_fetched_is_gone_once_it_is_loaded(
    lying: Lying, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    load(str(lying.folder), lying.manifest)
    assert list((tmp_path / "scratch").iterdir()) == []


def test_without_a_digest_it_is_served_with_a_warning(lying: Lying, caplog: pytest.LogCaptureFixture) -> None:
    load(str(lying.folder), None)
    (said,) = caplog.messages
    assert "nobody vouches for the release" in said


def tampered(lying: Lying) -> None:
    (lying.folder / "model" / "model.json").write_text("{}")


def with_more(lying: Lying) -> None:
    (lying.folder / "model" / "more.json").write_text("{}")


def with_less(lying: Lying) -> None:
    (lying.folder / "model" / "model.json").unlink()


@pytest.mark.parametrize("damage", [tampered, with_more, with_less])
def test_files_that_are_not_the_release_s_are_refused(lying: Lying, damage: Callable[[Lying], None]) -> None:
    damage(lying)
    for manifest in (lying.manifest, None):
        with pytest.raises(IntegrityError, match=r"Nothing was loaded; publish the release anew$") as refused:
            load(str(lying.folder), manifest)
        assert f"{lying.folder}/model/" in str(refused.value)


def test_another_manifest_is_refused(lying: Lying) -> None:
    """Also where all files fit the manifest that is there: somebody else's release, or an old one."""
    with pytest.raises(IntegrityError, match="is not the manifest that MLOPS_RELEASE_MANIFEST vouches for"):
        load(str(lying.folder), "0" * 64)


def test_a_model_that_predicts_otherwise_here_is_refused(lying: Lying) -> None:
    """As with other versions of the libraries that it was trained with."""
    probes = lying.release.probes.model_copy(update={"expected": (0.5, 0.6)})
    moved = lying.release.model_copy(update={"probes": probes})
    (lying.folder / "release.json").write_text(moved.model_dump_json())
    with pytest.raises(IntegrityError, match="does not predict as it did at training"):
        load(str(lying.folder), None)


@pytest.mark.parametrize(
    ("url", "kind", "said"),
    [
        ("{0}/nowhere", NotFound, "there is no release in"),
        ("carrier-pigeon://coop/churn", BadInput, "carrier-pigeon://coop/churn cannot be opened"),
    ],
)
def test_what_names_no_release_is_refused(
    tmp_path: Path, url: str, kind: type[MlopsError], said: str
) -> None:
    with pytest.raises(kind, match=said):
        load(url.format(tmp_path), None)


def test_what_is_out_of_reach_is_tried_again_for_a_while(
    lying: Lying, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, later = PublishedReleases.fetched, [Unavailable("no network yet"), Unavailable("no network yet")]

    def fetched(self: PublishedReleases, url: str) -> Any:
        if later:
            raise later.pop()
        return found(self, url)

    monkeypatch.setattr(PublishedReleases, "fetched", fetched)
    times, slept = iter(range(100)), list[float]()
    words: dict[str, Any] = {"sleep": slept.append, "clock": lambda: float(next(times))}
    url = str(lying.folder)
    assert loaded_release(url, lying.manifest, MemoryTrainer(), **words).release == lying.release
    assert len(slept) == 2
    later += [Unavailable("no network at all")] * 100
    with pytest.raises(Unavailable, match="no network at all"):
        loaded_release(url, lying.manifest, MemoryTrainer(), patience=10, **words)
    assert 2 < len(slept) < 20


@pytest.mark.parametrize(
    ("words", "variables", "said"),
    [
        (["serve"], {}, "name a USE_CASE whose releases to follow, or set MLOPS_RELEASE"),
        (["serve", "churn"], {"MLOPS_RELEASE": "/nowhere"}, "leave out one of the two"),
        (["serve", "churn"], {"MLOPS_TARGET": "vertex"}, "churn is served by vertex"),
        (["serve"], {"MLOPS_RELEASE": "/nowhere"}, "there is no release in /nowhere"),
        (["serve"], {"MLOPS_RELEASE": "/nowhere", "AIP_HTTP_PORT": "many"}, "AIP_HTTP_PORT must be"),
        (["serve"], {"MLOPS_RELEASE_MANIFEST": "short"}, "MLOPS_RELEASE_MANIFEST cannot be used"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    variables: dict[str, str],
    said: str,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert main(words) == 2
    error = capsys.readouterr().err.splitlines()
    assert said in error[-1]


def test_without_an_online_store_predicting_by_id_says_what_to_set() -> None:
    store = online_store(Settings.load())
    assert isinstance(store, NoOnlineStore)
    for asked in (lambda: store.state("churn"), lambda: store.read("churn", [1])):
        with pytest.raises(Unavailable, match="MLOPS_ONLINE_STORE=redis://"):
            asked()


@pytest.mark.live
def test_a_server_of_one_release_imports_no_engine_that_it_does_not_use() -> None:
    """What is on the way from the words to the application: of pipelines, registries and tables nothing."""
    code = (
        "import sys, mlops_core.cli as cli, mlops_core.commands.serve, mlops_core.one_release\n"
        "import mlops_core.serving.app, mlops_core.serving.server, mlops_core.adapters.trainer.quick\n"
        "import mlops_core.adapters.deployer.published, mlops_core.adapters.online_store.redis\n"
        "cli.main(['serve'])\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    imported = set(ran.stdout.split())
    assert {"fastapi", "sklearn", "redis"} <= imported
    assert imported & {"mlflow", "prefect", "duckdb", "sqlalchemy", "boto3", "kubernetes", "flows"} == set()
