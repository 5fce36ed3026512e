"""The server of one published release, in this process: what a target's container runs, behind fakes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx

from mlops_core.adapters.deployer.object_store import opened
from mlops_core.adapters.deployer.published import PublishedReleases
from mlops_core.adapters.online_store.memory import MemoryOnlineStore
from mlops_core.adapters.trainer.memory import MemoryTrainer
from mlops_core.canary.aside import Loaded
from mlops_core.serving.app import create_app
from mlops_core.serving.follower import ReleaseFollower

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI

    from mlops_core.ports import Trainer

MODEL_FILE = "model.skops"  # of scikit-learn's; importing its trainer takes a second
__all__ = ["ONE_ROW", "ReleaseServer", "asked"]

ONE_ROW = {
    "inputs": [
        {"name": name, "shape": [1], "datatype": "FP64", "data": [1.0]} for name in ("orders", "spend")
    ]
}


class ReleaseServer:
    """Answers requests with the release that the variables of a container name; see `Placed.environment`.

    Raises `IntegrityError` when the files are not those that the manifest's digest vouches for, as the real
    server does before it is ready.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        url, manifest = environment["MLOPS_RELEASE"], environment["MLOPS_RELEASE_MANIFEST"]
        published = PublishedReleases(url.rsplit("/", 2)[0], _trainer(url))
        self.release = published.verified(url, manifest)
        loaded = Loaded(self.release, published.load(url, manifest))
        follower = ReleaseFollower(name=self.release.name, source=loaded, store=MemoryOnlineStore())
        follower.refresh()
        self._app = create_app(follower=follower)

    def request(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and JSON of an answer."""
        return asked(self._app, method, path, body)

    def infer(self, body: Any) -> tuple[int, Any]:
        """The answer to a request of the inference protocol."""
        return self.request("POST", f"/v2/models/{self.release.name}/infer", body)


def _trainer(url: str) -> Trainer:
    """Of the stub's models the stub, of all others scikit-learn."""
    store, root = opened(url)
    if not store.exists(f"{root}/model/{MODEL_FILE}"):
        return MemoryTrainer()
    from mlops_core.adapters.trainer.quick import QuickTrainer

    return QuickTrainer()


def asked(app: FastAPI, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Status and JSON of an application's answer, without a network."""

    async def answer() -> httpx.Response:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
            return await client.request(method, path, json=body)

    found = asyncio.run(answer())
    return found.status_code, found.json()
