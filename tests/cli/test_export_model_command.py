"""`mlops export --to kubernetes` and its like, of a version that was released there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from mlops_core.commands.export_model import MODELS
from mlops_core.settings import Settings
from mlops_core.wiring import ConfiguredEngines
from tests.kubernetes.checks import mistakes

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Terminal
    from tests.promotion.desk import Desk


@pytest.mark.parametrize("target", [*MODELS])
def test_several_files_want_a_folder(fresh: Terminal, target: str) -> None:
    found = fresh("export", "churn", "--to", target)
    assert (found.code, found.out) == (2, "")
    assert "say where with --into FOLDER" in found.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--to", "yaml", "--version", "1"), "--version: an export to yaml cannot say that"),
        (("--to", "kserve", "--schedule", "0 6 * * 1"), "--schedule: an export to kserve cannot say that"),
    ],
)
def test_what_a_target_cannot_say_is_refused(
    fresh: Terminal, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    found = fresh("export", "churn", *words, "--into", str(tmp_path / "out"))
    assert found.code == 2
    assert said in found.err


def test_nothing_is_exported_before_the_first_promotion(fresh: Terminal, tmp_path: Path) -> None:
    found = fresh("export", "churn", "--to", "kubernetes", "--into", str(tmp_path / "out"))
    assert found.code == 2
    assert "no version of churn is in Production: promote one, or name one with --version N" in found.err
    assert not (tmp_path / "out").exists()


@pytest.mark.live
def test_a_released_version_becomes_files_that_name_it(
    fresh: Terminal, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before it is released, the command says what releases it; the same again leaves the files alone."""
    desk.delivered(1)
    into = tmp_path / "out"
    words = ("export", "churn", "--to", "kubernetes", "--into", str(into))
    monkeypatch.setenv("MLOPS_ARTIFACTS", f"file://{tmp_path / 'published'}")
    found = fresh(*words)
    assert (found.code, "was not released to MLOPS_ARTIFACTS yet" in found.err) == (2, True)
    publish(desk, f"file://{tmp_path / 'published'}")
    found = fresh(*words)
    assert (found.code, "MLOPS_IMAGE is not set" in found.err) == (2, True)
    monkeypatch.setenv("MLOPS_IMAGE", "registry.example/mlops:1")
    for state in ("written", "unchanged"):
        found = fresh(*words)
        assert (found.code, found.err) == (0, "")
        assert found.out.count(f": {state}\n") == 7
    assert "kubectl apply --server-side" in found.out
    files = sorted(into.glob("*.yaml"))
    assert all(file.read_text().startswith("# made by: mlops export churn --to kubernetes") for file in files)
    made = [yaml.safe_load(file.read_text()) for file in files if file.name != "kustomization.yaml"]
    assert [mistakes(one) for one in made] == [()] * 6
    (deployment,) = (one for one in made if one["kind"] == "Deployment")
    told = {
        one["name"]: one["value"] for one in deployment["spec"]["template"]["spec"]["containers"][0]["env"]
    }
    assert told["MLOPS_RELEASE"].startswith(f"file://{tmp_path / 'published'}/churn/1-")


def publish(desk: Desk, url: str) -> None:
    """As a target on other machines has it done."""
    from mlops_core.adapters.deployer.published import PublishedReleases
    from mlops_core.domain.release import Bundle

    engines = ConfiguredEngines(Settings(home=desk.engines.workspace.home, artifacts=url))
    release = desk.engines.deployer.current("churn")
    with desk.engines.workspace.scratch() as folder:
        for path in release.files:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(desk.engines.deployer.file(release, path))
        told = {name: getattr(release, name) for name in Bundle.model_fields if hasattr(release, name)}
        PublishedReleases(url, engines.trainer).publish(Bundle(**told, model_folder=str(folder)))
