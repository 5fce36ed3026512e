"""Where predictions are made: few rows in the event loop, anything that may take long in a thread."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Any, cast

import httpx
import pytest

from mlops_core.adapters.deployer.local import LocalDeployer
from mlops_core.adapters.trainer.memory import MemoryModel, MemoryTrainer
from mlops_core.serving.app import create_app
from mlops_core.serving.pace import FEW
from mlops_core.serving.predictor import Predictor

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from mlops_core.adapters.online_store.memory import MemoryOnlineStore
    from mlops_core.domain.release import Bundle
    from mlops_core.serving.follower import ReleaseFollower


class _Watched(MemoryModel):
    """Says in which threads it predicted, and takes its time."""

    def __init__(self, model: MemoryModel, seconds: float, threads: list[str]) -> None:
        super().__init__(model._state)
        self._seconds = seconds
        self._threads = threads

    def predict(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        self._threads.append(threading.current_thread().name)
        time.sleep(self._seconds)
        return super().predict(rows)


class _Trainer(MemoryTrainer):
    """Loads models that are watched."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.threads: list[str] = []

    def load(self, folder: Path) -> _Watched:
        return _Watched(super().load(folder), self.seconds, self.threads)


@pytest.fixture
def trainer() -> _Trainer:
    """Its models are quick unless they are told to be slow."""
    return _Trainer()


@pytest.fixture
def deployer(tmp_path: Path, trainer: _Trainer) -> LocalDeployer:
    """Loads by that trainer."""
    return LocalDeployer(home=tmp_path / "home", trainer=trainer)


@pytest.fixture
def asked(
    deploy: Callable[..., Bundle], follower: ReleaseFollower, trainer: _Trainer
) -> Callable[..., set[str]]:
    """The threads that predicted for a request; a first one lets the server find out how quick it is."""

    def ask(path: str, body: dict[str, Any]) -> set[str]:
        deploy()
        follower.refresh()
        app = create_app(follower=follower)

        async def both() -> int:
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
                await client.post(path, json=body)
                trainer.threads.clear()
                return (await client.post(path, json=body)).status_code

        assert asyncio.run(both()) == 200
        return set(trainer.threads)

    return ask


def rows(count: int) -> dict[str, Any]:
    """A request for so many rows."""
    tensors = [
        {"name": name, "shape": [count], "datatype": "FP64", "data": [1.0] * count}
        for name in ("orders", "basket")
    ]
    return {"inputs": tensors}


HERE = {threading.main_thread().name}
INFER = "/v2/models/churn/infer"


def test_few_rows_are_predicted_in_the_event_loop(asked: Callable[..., set[str]]) -> None:
    """A thread would take as long as the prediction itself, and more."""
    assert asked(INFER, rows(FEW)) == HERE


def test_many_rows_are_predicted_in_a_thread(asked: Callable[..., set[str]]) -> None:
    """They would hold up all other requests."""
    assert not asked(INFER, rows(FEW + 1)) & HERE


def test_a_slow_model_predicts_in_a_thread(asked: Callable[..., set[str]], trainer: _Trainer) -> None:
    """Even one row, once it has been found slow."""
    trainer.seconds = 0.004
    assert not asked(INFER, rows(1)) & HERE


def test_ids_of_a_near_store_are_predicted_in_the_event_loop(asked: Callable[..., set[str]]) -> None:
    """A file or the memory of this machine."""
    assert asked("/predict", {"ids": [1]}) == HERE


def test_ids_of_a_store_that_may_be_far_are_predicted_in_a_thread(
    asked: Callable[..., set[str]], store: MemoryOnlineStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network may keep a read waiting, as Redis' may."""
    monkeypatch.delattr(type(store), "near")
    assert not asked("/predict", {"ids": [1]}) & HERE


def test_a_model_that_fails_is_not_quick(
    follower: ReleaseFollower, deploy: Callable[..., Bundle], store: MemoryOnlineStore
) -> None:
    """Finding out raises nothing: the request that meets the failure says it."""

    class Broken(MemoryModel):
        def predict(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
            raise RuntimeError(f"of an engine's own, at {rows.shape}")

    deploy()
    follower.refresh()
    serving = follower.predictor()
    model = Broken(cast("MemoryModel", serving._model)._state)
    assert serving.is_quick()
    assert not Predictor(release=serving.release, model=model, store=store).is_quick()
