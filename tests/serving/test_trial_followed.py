"""Servers follow the release on trial as the files say, and tell each other what it came to."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mlops_core.adapters.deployer.local import LocalDeployer
from mlops_core.adapters.trainer.memory import MemoryTrainer
from mlops_core.domain.candidates import LogisticRegression
from mlops_core.domain.release import Bundle, Probes
from mlops_core.errors import MlopsError
from mlops_core.serving.arms import Answer, Arms
from mlops_core.serving.follower import ReleaseFollower

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import httpx

    from mlops_core.adapters.online_store.memory import MemoryOnlineStore
    from mlops_core.domain.release import Release
    from mlops_core.serving.predictor import Predictor
    from mlops_core.serving.trial import Trial

    Two = tuple[Release, Release]


@pytest.fixture
def two(deployer: LocalDeployer, make_bundle: Callable[..., Bundle]) -> Two:
    """The first of them serves."""
    first, second = (deployer.prepare(make_bundle(version)) for version in (1, 2))
    deployer.activate(first)
    return first, second


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return tmp_path / "home" / "releases" / "churn"


@pytest.fixture
def server(deployer: LocalDeployer, store: MemoryOnlineStore) -> Callable[[], ReleaseFollower]:
    """Starts a server: a follower that has looked once."""

    def started() -> ReleaseFollower:
        follower = ReleaseFollower(name="churn", source=deployer, store=store, retry=0.0)
        follower.refresh()
        return follower

    return started


def on_trial(follower: ReleaseFollower) -> Trial:
    trial = follower.trial()
    assert trial is not None
    return trial


def fail(trial: Trial, times: int) -> None:
    for _ in range(times):
        trial.failed(trial.begin())


def told(deployer: LocalDeployer) -> tuple[int | None, int | None, str | None]:
    share = deployer.status("churn").share
    assert share is not None
    return share.requests, share.errors, share.ended


def test_a_share_is_followed_until_it_ends(
    deployer: LocalDeployer, two: Two, server: Callable[[], ReleaseFollower]
) -> None:
    """Begun, changed, ended by a person, begun again, ended by a promotion."""
    follower = server()
    assert follower.trial() is None
    for percent in (10, 20):
        deployer.share(two[1], percent)
        follower.refresh()
        assert on_trial(follower).terms.percent == percent
    deployer.withdraw("churn")
    follower.refresh()
    assert follower.trial() is None
    deployer.share(two[1], 10)
    follower.refresh()
    deployer.activate(two[1])
    follower.refresh()
    assert (follower.trial(), follower.predictor().release.version) == (None, 2)


def test_counts_survive_a_look_and_nothing_is_loaded_again(
    deployer: LocalDeployer, two: Two, server: Callable[[], ReleaseFollower]
) -> None:
    deployer.share(two[1], 10)
    follower = server()
    trial = on_trial(follower)
    fail(trial, 1)
    for _ in range(3):
        follower.refresh()
    assert follower.trial() is trial


def test_two_servers_agree(
    deployer: LocalDeployer,
    two: Two,
    server: Callable[[], ReleaseFollower],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What one takes back gets no more requests from the other; the status has the requests of both."""
    caplog.set_level(logging.INFO)
    deployer.share(two[1], 10)
    one, other = server(), server()
    fail(on_trial(other), 1)
    fail(on_trial(one), 3)
    assert on_trial(one).over
    one.tell()
    other.refresh()
    assert other.trial() is None
    requests, errors, ended = told(deployer)
    assert ended == "3 of its requests in a row failed"
    assert (requests, errors) == (4, 4)
    lines = [record.getMessage() for record in caplog.records if "no longer on trial" in record.getMessage()]
    by = json.loads((base_of(deployer) / "share-ended.json").read_bytes())["by"]
    assert lines == [f"version 2 of churn is no longer on trial: {by} took it back: {ended}"]


def base_of(deployer: LocalDeployer) -> Path:
    return deployer._base("churn")


def test_a_server_that_starts_again_goes_on_as_the_files_say(
    deployer: LocalDeployer, two: Two, server: Callable[[], ReleaseFollower]
) -> None:
    """Killed during a trial it has it again, and its counts are kept; killed after the verdict it has not."""
    deployer.share(two[1], 10)
    first = server()
    fail(on_trial(first), 2)
    first.tell()
    second = server()
    fail(on_trial(second), 2)
    second.tell()
    assert told(deployer) == (4, 4, None)
    fail(on_trial(second), 1)
    second.tell()
    assert server().trial() is None
    assert told(deployer)[0] == 5


def test_a_new_share_of_the_same_release_begins_anew(
    deployer: LocalDeployer, two: Two, server: Callable[[], ReleaseFollower]
) -> None:
    """What ended the one before says nothing of it."""
    deployer.share(two[1], 10)
    follower = server()
    fail(on_trial(follower), 3)
    follower.tell()
    follower.refresh()
    assert follower.trial() is None
    deployer.share(two[1], 10)
    assert told(deployer) == (None, None, None)
    follower.refresh()
    assert not on_trial(follower).over


def test_a_verdict_that_comes_too_late_ends_nothing(
    deployer: LocalDeployer, two: Two, server: Callable[[], ReleaseFollower]
) -> None:
    """It is about a share that is another one by now."""
    deployer.share(two[1], 10)
    follower = server()
    deployer.share(two[1], 20)
    fail(on_trial(follower), 3)
    follower.tell()
    assert told(deployer)[2] is None
    follower.refresh()
    assert (on_trial(follower).terms.percent, on_trial(follower).over) == (20, False)


def test_a_verdict_that_cannot_be_kept_holds_in_the_server(
    deployer: LocalDeployer,
    two: Two,
    server: Callable[[], ReleaseFollower],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A state folder that cannot be written to: said once, and told when it can be."""
    deployer.share(two[1], 10)
    follower = server()

    def read_only(*_: Any) -> None:
        raise MlopsError("cannot take a release back: it is on a read-only file system")

    with monkeypatch.context() as patch:
        patch.setattr(LocalDeployer, "take_back", read_only)
        fail(on_trial(follower), 3)
        for _ in range(3):
            follower.refresh()
        assert on_trial(follower).over
        assert [answer.release.version for answer in Arms(follower).predictors().values()] == [1]
        stays = [record for record in caplog.records if "stays in this server" in record.getMessage()]
        assert len(stays) == 1
    follower.refresh()
    assert told(deployer)[2] == "3 of its requests in a row failed"


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"release": "../../etc"}'])
def test_a_damaged_share_is_refused_by_name(
    deployer: LocalDeployer,
    two: Two,
    base: Path,
    server: Callable[[], ReleaseFollower],
    caplog: pytest.LogCaptureFixture,
    content: bytes,
) -> None:
    """Callers keep what serves; sharing again replaces it."""
    deployer.share(two[1], 10)
    follower = server()
    (base / "share.json").write_bytes(content)
    for _ in range(3):
        follower.refresh()
    assert (follower.trial(), follower.predictor().release.version) == (None, 1)
    (line,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert "share.json is no share of the traffic" in line
    status = deployer.status("churn")
    assert (status.state, "share.json" in str(status.why)) == ("failed", True)
    assert status.serving is not None
    deployer.share(two[1], 20)
    follower.refresh()
    assert on_trial(follower).terms.percent == 20


def test_a_tampered_release_on_trial_gets_no_requests(
    tmp_path: Path,
    deployer: LocalDeployer,
    two: Two,
    server: Callable[[], ReleaseFollower],
    caplog: pytest.LogCaptureFixture,
) -> None:
    deployer.share(two[1], 10)
    (tmp_path / "home" / two[1].uri / "model" / "model.json").write_text("{}")
    follower = server()
    follower.refresh()
    assert (follower.trial(), follower.predictor().release.version) == (None, 1)
    (line,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert "model.json was changed after it was released" in line


def test_a_release_whose_definitions_cannot_be_read_is_taken_back(
    deployer: LocalDeployer, make_bundle: Callable[..., Bundle], server: Callable[[], ReleaseFollower]
) -> None:
    deployer.activate(deployer.prepare(make_bundle(1)))
    deployer.share(deployer.prepare(make_bundle(2, use_case="{}")), 10)
    follower = server()
    assert (follower.trial(), follower.predictor().release.version) == (None, 1)
    assert str(told(deployer)[2]).startswith("it cannot be loaded: ")


def test_it_is_no_trial_beside_itself_or_beside_nothing(
    deployer: LocalDeployer,
    two: Two,
    base: Path,
    server: Callable[[], ReleaseFollower],
) -> None:
    """A share that was given beside something else, as a killed process leaves it, counts for nothing."""
    deployer.share(two[1], 10)
    share = (base / "share.json").read_bytes()
    deployer.activate(two[1])
    (base / "share.json").write_bytes(share)
    assert server().trial() is None
    assert deployer.status("churn").share is None


def test_the_server_tells_who_answers(
    deployer: LocalDeployer, two: Two, follower: ReleaseFollower, ask: Callable[..., httpx.Response]
) -> None:
    """`GET /traffic`, and both versions where a client looks for them."""
    follower.refresh()
    assert ask("GET", "/traffic").json() == {
        "model": "churn",
        "version": 1,
        "digest": two[0].digest,
        "trial": None,
    }
    deployer.share(two[1], 50)
    follower.refresh()
    versions = {ask("POST", "/predict", json={"ids": [1]}).json()["version"] for _ in range(60)}
    assert versions == {1, 2}
    found = ask("GET", "/traffic").json()["trial"]
    assert (found["version"], found["percent"], found["errors"], found["verdict"]) == (2, 50, 0, None)
    assert 0 < found["requests"] < 60
    assert ask("GET", "/v2/models/churn").json()["versions"] == ["1", "2"]
    assert ask("GET", "/v2/models/churn/versions/2/ready").status_code == 200
    assert 'arm="trial"' in ask("GET", "/metrics").text


def test_before_the_first_release_nobody_answers(ask: Callable[..., httpx.Response]) -> None:
    assert ask("GET", "/traffic").status_code == 503


def test_a_model_of_other_features_is_tried_by_id(
    deployer: LocalDeployer, two: Two, follower: ReleaseFollower
) -> None:
    """Each release reads its own features, in its own order."""
    model = MemoryTrainer().fit(
        LogisticRegression(), np.array([[0.0], [1.0], [2.0], [9.0]]), np.array([0, 0, 1, 1], dtype=np.int8)
    )
    folder = base_of(deployer).parent / "other"
    folder.mkdir()
    model.save(folder)
    probes = Probes(rows=((1.0,),), expected=tuple(model.predict(np.array([[1.0]])).tolist()))
    bundle = _bundle_of(two[0], str(folder), model.digest(), probes)
    deployer.share(deployer.prepare(bundle), 50)
    follower.refresh()
    arms = Arms(follower, draw=lambda: 0.0)

    def work(predictor: Predictor) -> Answer[tuple[int, float]]:
        (one,) = predictor.predict_ids([1])
        return Answer((one.version, one.score), np.array([one.score]), predictor)

    version, probability = arms.answer(work).body
    assert version == 3
    assert probability == pytest.approx(float(model.predict(np.array([[9.0]]))[0]))


def _bundle_of(release: Release, folder: str, digest: str, probes: Probes) -> Bundle:
    return Bundle(
        name="churn",
        version=3,
        digest=digest,
        candidate="logistic",
        model_folder=folder,
        use_case=release.use_case,
        feature_names=("orders",),
        threshold=0.5,
        probes=probes,
    )
