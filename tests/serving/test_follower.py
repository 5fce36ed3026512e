"""A server follows what is current, and never gives up what works for what does not."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import pytest

from mlops_core.errors import Unavailable
from mlops_core.serving.app import create_app
from mlops_core.serving.follower import ReleaseFollower

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlops_core.adapters.deployer.local import LocalDeployer
    from mlops_core.adapters.online_store.memory import MemoryOnlineStore
    from mlops_core.domain.release import Bundle, Release
    from mlops_core.ports import FittedModel

    Deploy = Callable[..., Bundle]


def _model_file(deployer: LocalDeployer, home: Path) -> Path:
    release = deployer.current("churn")
    assert release is not None
    return home / release.uri / "model" / "model.json"


def _errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


def test_before_the_first_release_it_says_what_to_type(follower: ReleaseFollower) -> None:
    """Looking without finding is not ready, and no error in the log."""
    follower.refresh()
    with pytest.raises(Unavailable, match=r"nothing was released yet\. Run `mlops run churn`"):
        follower.predictor()


def test_an_activation_is_followed(follower: ReleaseFollower, deploy: Deploy) -> None:
    """First, forward, and back."""
    for version in (1, 2, 1):
        deploy(version)
        follower.refresh()
        assert follower.predictor().release.version == version


def test_nothing_is_loaded_again_while_nothing_changes(
    deployer: LocalDeployer, store: MemoryOnlineStore, deploy: Deploy
) -> None:
    """Looking is cheap: the release is neither verified nor loaded."""
    calls: list[str] = []

    class Counted:
        def signature(self, name: str) -> object:
            return deployer.signature(name)

        def current(self, name: str) -> Release | None:
            calls.append("current")
            return deployer.current(name)

        def load(self, release: Release) -> FittedModel:
            calls.append("load")
            return deployer.load(release)

    follower = ReleaseFollower(name="churn", source=Counted(), store=store)
    deploy(1)
    for _ in range(3):
        follower.refresh()
    assert calls == ["current", "load"]


def test_a_tampered_release_never_replaces_the_one_that_serves(
    tmp_path: Path,
    deployer: LocalDeployer,
    store: MemoryOnlineStore,
    deploy: Deploy,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is logged once however often it is tried, and the version before serves on."""
    follower = ReleaseFollower(name="churn", source=deployer, store=store, retry=0.0)
    deploy(1)
    follower.refresh()
    deploy(2)
    _model_file(deployer, tmp_path / "home").write_text("{}")
    for _ in range(3):
        follower.refresh()
    assert follower.predictor().release.version == 1
    (error,) = _errors(caplog)
    assert "version 1 is served" in error
    assert "model.json was changed" in error


def test_a_release_that_was_mended_is_followed_without_another_activation(
    tmp_path: Path,
    deployer: LocalDeployer,
    store: MemoryOnlineStore,
    deploy: Deploy,
) -> None:
    """Its pointer is the same, so looking at that alone would never notice."""
    follower = ReleaseFollower(name="churn", source=deployer, store=store, retry=0.0)
    deploy(1)
    follower.refresh()
    deploy(2)
    file = _model_file(deployer, tmp_path / "home")
    whole = file.read_bytes()
    file.write_text("{}")
    follower.refresh()
    assert follower.predictor().release.version == 1
    file.write_bytes(whole)
    follower.refresh()
    assert follower.predictor().release.version == 2


def test_a_rollback_after_a_tampered_release_serves_on(
    tmp_path: Path, deployer: LocalDeployer, follower: ReleaseFollower, deploy: Deploy
) -> None:
    """And a third version is followed at once, whatever the second was like."""
    deploy(1)
    follower.refresh()
    deploy(2)
    _model_file(deployer, tmp_path / "home").write_text("{}")
    follower.refresh()
    deploy(1)
    follower.refresh()
    assert follower.predictor().release.version == 1
    deploy(3)
    follower.refresh()
    assert follower.predictor().release.version == 3


def test_a_first_release_that_is_damaged_is_not_ready_and_says_where_to_look(
    tmp_path: Path,
    deployer: LocalDeployer,
    follower: ReleaseFollower,
    deploy: Deploy,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The path and the reason are in the log, not in the answer to whoever asks."""
    deploy(1)
    _model_file(deployer, tmp_path / "home").write_text("{}")
    follower.refresh()
    with pytest.raises(Unavailable, match="the server's log says why") as caught:
        follower.predictor()
    assert str(tmp_path) not in str(caught.value)
    assert len(_errors(caplog)) == 1


def test_a_lost_pointer_stops_nothing(
    tmp_path: Path, follower: ReleaseFollower, deploy: Deploy, caplog: pytest.LogCaptureFixture
) -> None:
    """What serves, serves on, and the loss is told once."""
    deploy(1)
    follower.refresh()
    (tmp_path / "home" / "releases" / "churn" / "current.json").unlink()
    follower.refresh()
    follower.refresh()
    assert follower.predictor().release.version == 1
    assert len(_errors(caplog)) == 1


def test_an_error_of_an_engine_does_not_end_the_following(
    deployer: LocalDeployer,
    store: MemoryOnlineStore,
    deploy: Deploy,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whatever it is: it is told, and the next release is followed."""

    class Fragile:
        def signature(self, name: str) -> object:
            return deployer.signature(name)

        def current(self, name: str) -> Release | None:
            return deployer.current(name)

        def load(self, release: Release) -> FittedModel:
            if release.version == 1:
                raise RuntimeError("out of luck")
            return deployer.load(release)

    follower = ReleaseFollower(name="churn", source=Fragile(), store=store)
    deploy(1)
    follower.refresh()
    assert "RuntimeError: out of luck" in _errors(caplog)[0]
    deploy(2)
    follower.refresh()
    assert follower.predictor().release.version == 2


def test_the_application_follows_while_it_runs(follower: ReleaseFollower, deploy: Deploy) -> None:
    """From start-up, before the first request, until shutdown."""
    app = create_app(follower=follower)

    async def versions() -> list[int]:
        async with app.router.lifespan_context(app):
            seen = [follower.predictor().release.version]
            await asyncio.to_thread(deploy, 2)
            async with asyncio.timeout(10):
                while follower.predictor().release.version == 1:
                    await asyncio.sleep(0.01)
            seen.append(follower.predictor().release.version)
        await asyncio.to_thread(deploy, 3)
        await asyncio.sleep(0.1)
        return [*seen, follower.predictor().release.version]

    deploy(1)
    assert asyncio.run(versions()) == [1, 2, 2]
