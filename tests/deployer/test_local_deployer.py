"""Releases on disk: what a reader may see, and what is refused."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mlops_core.adapters.deployer.local import LocalDeployer
from mlops_core.adapters.trainer.memory import MemoryModel, MemoryTrainer
from mlops_core.domain.digest import file_digests
from mlops_core.errors import BadInput, IntegrityError, MlopsError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlops_core.domain.release import Bundle, Release

    MakeBundle = Callable[..., Bundle]
    Tamper = Callable[[Path], object]


@pytest.fixture
def served(local: LocalDeployer, make_bundle: MakeBundle) -> Release:
    """Version 1, activated."""
    release = local.prepare(make_bundle())
    local.activate(release)
    return release


def test_a_release_is_a_folder_and_a_pointer(home: Path, served: Release) -> None:
    """The `uri` leads to it, and nothing but the release, the pointer and the lock lies there."""
    base = home / "releases" / "churn"
    assert served.uri == f"releases/churn/1-{served.digest[:12]}"
    assert sorted(path.name for path in base.iterdir()) == sorted(
        [".lock", "current.json", f"1-{served.digest[:12]}"]
    )
    pointer = json.loads((base / "current.json").read_bytes())
    assert pointer["release"] == f"1-{served.digest[:12]}"


def test_activating_what_is_current_leaves_the_pointer_untouched(
    home: Path, local: LocalDeployer, served: Release
) -> None:
    """Whoever follows it sees no change."""
    pointer = home / "releases" / "churn" / "current.json"
    before = (pointer.read_bytes(), pointer.stat())
    local.activate(served)
    after = (pointer.read_bytes(), pointer.stat())
    assert before[0] == after[0]
    assert (before[1].st_ino, before[1].st_mtime_ns) == (after[1].st_ino, after[1].st_mtime_ns)


@pytest.mark.usefixtures("served")
def test_the_signature_changes_with_the_pointer_alone(local: LocalDeployer, make_bundle: MakeBundle) -> None:
    """Preparing another version is nothing to follow, activating it is."""
    before = local.signature("churn")
    second = local.prepare(make_bundle(2))
    assert local.signature("churn") == before
    local.activate(second)
    assert local.signature("churn") not in (before, None)


def test_a_loaded_release_predicts_as_its_probes_say(local: LocalDeployer, served: Release) -> None:
    """What a server loads is what was trained."""
    rows = np.array(served.probes.rows, dtype=np.float64)
    assert local.load(served).predict(rows).tolist() == list(served.probes.expected)


def _change(name: str, content: str) -> Tamper:
    return lambda folder: (folder / name).write_text(content)


def _replace(name: str, old: str, new: str) -> Tamper:
    def tamper(folder: Path) -> None:
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new))

    return tamper


DAMAGE: list[tuple[str, Tamper]] = [
    (r"model\.json was changed", _change("model/model.json", "{}")),
    (r"model\.json is missing", lambda folder: (folder / "model" / "model.json").unlink()),
    (r"extra\.pkl is not part", _change("model/extra.pkl", "")),
    (r"notes\.txt is not part", _change("notes.txt", "")),
    (r"link is not part", lambda folder: (folder / "model" / "link").symlink_to("model.json")),
    (r"folder is not part", lambda folder: (folder / "folder").symlink_to(folder / "model")),
    (
        r"release\.json is not the manifest that",
        _replace("release.json", '"threshold": 0.5', '"threshold": 0.1'),
    ),
    (r"release\.json is not the manifest that", _change("release.json", "{}")),
    (r"release\.json is missing", lambda folder: (folder / "release.json").unlink()),
    (r"release\.json is missing", shutil.rmtree),
]


@pytest.mark.parametrize(("message", "tamper"), DAMAGE)
def test_a_tampered_release_is_refused_and_deploying_again_mends_it(
    home: Path,
    local: LocalDeployer,
    make_bundle: MakeBundle,
    served: Release,
    message: str,
    tamper: Tamper,
) -> None:
    """The message names the file and what to type; the same bundle makes the release whole again."""
    tamper(home / served.uri)
    with pytest.raises(IntegrityError, match=message) as caught:
        local.current("churn")
    assert "mlops run churn" in str(caught.value)
    again = local.prepare(make_bundle())
    local.activate(again)
    assert local.current("churn") == again
    assert again.files == served.files
    assert sorted(path.name for path in (home / served.uri).rglob("*")) == [
        "model",
        "model.json",
        "release.json",
    ]


def test_a_mended_model_file_leaves_the_release_as_it_was(
    home: Path, local: LocalDeployer, make_bundle: MakeBundle, served: Release
) -> None:
    """While the manifest is whole, mending needs no new pointer, and the time stays the first one."""
    (home / served.uri / "model" / "model.json").write_text("")
    local.prepare(make_bundle())
    assert local.current("churn") == served


@pytest.mark.parametrize("content", ["", "[]", '{"release": "../../x", "manifest_digest": "0"}', "\0"])
def test_a_damaged_pointer_is_refused_and_activating_mends_it(
    home: Path, local: LocalDeployer, make_bundle: MakeBundle, served: Release, content: str
) -> None:
    """Also one that leads out of the folder."""
    pointer = home / "releases" / "churn" / "current.json"
    pointer.write_text(content)
    with pytest.raises(IntegrityError, match=r"current\.json is not a pointer"):
        local.current("churn")
    local.activate(local.prepare(make_bundle()))
    assert local.current("churn") == served


@pytest.mark.usefixtures("served")
def test_a_pointer_to_the_release_of_another_name_is_refused(home: Path, local: LocalDeployer) -> None:
    """Copying folders about deploys nothing."""
    shutil.copytree(home / "releases" / "churn", home / "releases" / "returns")
    with pytest.raises(IntegrityError, match="another name"):
        local.current("returns")


def test_a_release_damaged_before_its_activation_is_not_activated(
    home: Path, local: LocalDeployer, make_bundle: MakeBundle, served: Release
) -> None:
    """The one before stays current."""
    second = local.prepare(make_bundle(2))
    (home / second.uri / "model" / "model.json").write_text("{}")
    with pytest.raises(IntegrityError, match="was changed"):
        local.activate(second)
    assert local.current("churn") == served


def test_a_consistent_forgery_is_not_taken_for_the_prepared_release(
    home: Path, local: LocalDeployer, make_bundle: MakeBundle
) -> None:
    """Before a pointer vouches for a manifest, only the bundle does: other files are replaced by its own."""
    release = local.prepare(make_bundle())
    model = home / release.uri / "model" / "model.json"
    model.write_text(model.read_text() + " ")
    forged = release.model_copy(update={"files": file_digests(home / release.uri / "model")})
    (home / release.uri / "release.json").write_text(forged.model_dump_json())
    assert local.prepare(make_bundle()).files == release.files


@pytest.mark.usefixtures("served")
def test_a_refused_model_leaves_nothing_behind(
    home: Path, local: LocalDeployer, make_bundle: MakeBundle
) -> None:
    """Neither a folder nor a changed pointer."""
    before = {path: path.stat().st_mtime_ns for path in home.rglob("*") if path.is_file()}
    good = make_bundle(2)
    probes = good.probes.model_copy(update={"expected": (0.0, 0.0)})
    with pytest.raises(IntegrityError):
        local.prepare(good.model_copy(update={"probes": probes}))
    assert {path: path.stat().st_mtime_ns for path in home.rglob("*") if path.is_file()} == before


@pytest.mark.usefixtures("served")
def test_what_a_killed_attempt_left_is_swept(
    home: Path, local: LocalDeployer, make_bundle: MakeBundle
) -> None:
    """By the next preparation of that name, whatever the version."""
    base = home / "releases" / "churn"
    (base / ".draft-9-000000000000" / "model").mkdir(parents=True)
    (base / ".current.json.new").write_text("half")
    local.prepare(make_bundle(2))
    assert [path.name for path in base.glob(".*")] == [".lock"]


def test_links_are_not_copied_into_a_release(
    home: Path, local: LocalDeployer, make_bundle: MakeBundle, tmp_path: Path
) -> None:
    """A model folder could otherwise publish any file of the machine."""
    bundle = make_bundle()
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "model-1" / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(BadInput, match="link is a link"):
        local.prepare(bundle)
    assert [path.name for path in (home / "releases" / "churn").iterdir()] == [".lock"]


def test_a_state_folder_that_cannot_be_written_is_said_in_words(
    home: Path, local: LocalDeployer, make_bundle: MakeBundle
) -> None:
    """Naming the folder; no engine's traceback."""
    home.write_text("a file in its place")
    with pytest.raises(
        MlopsError, match=r"cannot .* in .*/home/releases/churn: something on its path is not a"
    ):
        local.prepare(make_bundle())


def test_deploying_the_same_from_many_threads_makes_one_release(
    local: LocalDeployer, make_bundle: MakeBundle
) -> None:
    """Whoever comes second waits, and finds it."""
    bundle = make_bundle()
    with ThreadPoolExecutor(4) as pool:
        releases = list(pool.map(lambda _: local.prepare(bundle), range(8)))
    assert releases == [releases[0]] * 8


@pytest.mark.parametrize("is_current", [True, False])
@pytest.mark.parametrize("tampered", ["model/model.json", "release.json"])
def test_a_damaged_release_is_not_found_but_refused(
    local: LocalDeployer, home: Path, make_bundle: MakeBundle, tampered: str, is_current: bool
) -> None:
    """Whether it serves or lies ready; the message says what is damaged."""
    release = local.prepare(make_bundle())
    if is_current:
        local.activate(release)
    (home / release.uri / tampered).write_text("{}")
    with pytest.raises(IntegrityError, match=tampered):
        local.find("churn", 1, release.digest)


def test_a_manifest_that_was_changed_while_it_serves_is_not_found(
    local: LocalDeployer, home: Path, served: Release
) -> None:
    """It still fits its files, but it is not what was activated."""
    manifest = home / served.uri / "release.json"
    manifest.write_text(manifest.read_text().replace('"threshold": 0.5', '"threshold": 0.1'))
    with pytest.raises(IntegrityError, match="not the manifest that was activated"):
        local.find("churn", 1, served.digest)


def test_finding_loads_no_model(home: Path, make_bundle: MakeBundle) -> None:
    """That was done when it was prepared: what is found at once can serve at once."""
    release = LocalDeployer(home=home, trainer=MemoryTrainer()).prepare(make_bundle())

    class Refusing(MemoryTrainer):
        def load(self, folder: Path) -> MemoryModel:
            raise AssertionError(f"loaded {folder}")

    assert LocalDeployer(home=home, trainer=Refusing()).find("churn", 1, release.digest) == release
