"""Vertex AI as a target: a fake on loopback (tests/vertex/fake_vertex.py), or the one of the settings."""

from __future__ import annotations

import os
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import grpc  # type: ignore[import-untyped]  # it ships no types

from mlops_core.adapters.deployer.published import PublishedReleases
from mlops_core.adapters.deployer.remote import RemoteDeployer
from mlops_core.adapters.trainer.memory import MemoryTrainer
from mlops_core.adapters.vertex import VertexPlatform
from mlops_core.adapters.vertex.calls import Calls
from mlops_core.adapters.vertex.connection import services
from mlops_core.adapters.vertex.names import Names
from mlops_core.errors import BadInput, MlopsError, Unavailable
from mlops_core.settings import Settings
from tests.deployer.release_server import ONE_ROW
from tests.deployer.rig import Fault, Killed, Rig
from tests.vertex.clearing import clear
from tests.vertex.fake_vertex import FakeVertex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    import pytest

    from mlops_core.domain.release import Release
    from mlops_core.ports import Trainer

__all__ = ["FakeVertexRig", "VertexRig", "fake", "real"]

IMAGE = "europe-west1-docker.pkg.dev/shop/models/mlops@sha256:" + "0" * 64
NAMES = ("churn", "returns")
"""The use cases of the suite."""

ACCOUNT = "models@shop.iam.gserviceaccount.com"


@contextmanager
def fake(request: pytest.FixtureRequest, folder: Path) -> Iterator[FakeVertexRig]:
    """One of its own for each test: it starts in milliseconds."""
    del request
    rig = FakeVertexRig(FakeVertex(), f"file://{folder}/published")
    try:
        yield rig
    finally:
        rig.close()


@contextmanager
def real(folder: Path) -> Iterator[VertexRig]:
    """The project of the settings; what the test put there goes away again.

    Refused where a use case of that name serves already: it might be somebody's.
    """
    del folder
    from mlops_core.adapters.trainer.sklearn import SklearnTrainer

    rig = VertexRig(Settings.load(), SklearnTrainer())
    for name in NAMES:
        state = rig.deployer.status(name).state
        assert state == "nothing", (
            f"the project has an endpoint of {name} ({state}): give one for tests alone"
        )
    try:
        yield rig
    finally:
        rig.clear()


class VertexRig(Rig):
    """`RemoteDeployer` at Vertex AI."""

    target = "vertex"
    is_fake = False
    knows_shadow = False

    def __init__(self, settings: Settings, trainer: Trainer) -> None:
        self.settings, self._trainer = settings, trainer

    @property
    def platform(self) -> VertexPlatform:
        """A new one."""
        return VertexPlatform.of(self.settings)

    @property
    def deployer(self) -> RemoteDeployer:
        """A new one, too."""
        return RemoteDeployer(self.platform, PublishedReleases(self.settings.artifacts or "", self._trainer))

    def call(self, name: str, times: int) -> Counter[int]:
        """By the endpoint, which nobody told who should answer."""
        platform = self.platform
        found: Counter[int] = Counter()
        for _ in range(times):
            found[int(platform.answer(name, ONE_ROW)["model_version"])] += 1
        return found

    def clear(self) -> None:
        """Delete the endpoints and models of the suite's use cases, if they are ours."""
        names = Names(self.settings.vertex_project or "", self.settings.vertex_location)
        for name in NAMES:
            clear(self.calls, names, name)

    @property
    def calls(self) -> Calls:
        """To the project of the settings."""
        return Calls(self.settings)

    def tamper(self, release: Release) -> None:
        """A byte more."""
        from mlops_core.adapters.deployer.object_store import opened

        store, root = opened(release.uri)
        path = next(path for path in store.find(f"{root}/model") if path.endswith(".json"))
        store.pipe_file(path, store.cat_file(path) + b" ")


class FakeVertexRig(VertexRig):
    """The same with the fake, which fails as it is told."""

    is_fake = True

    def __init__(self, vertex: FakeVertex, artifacts: str) -> None:
        super().__init__(_settings(vertex.address, artifacts), MemoryTrainer())
        self.vertex = vertex
        self.lives: int | None = None
        self._channel = grpc.insecure_channel(vertex.address)
        self._services = services(grpc.intercept_channel(self._channel, _Mortal(self)))

    @property
    def platform(self) -> VertexPlatform:
        """With a client that dies; by the settings' own way while a fault wants that."""
        if self.settings.vertex_endpoint != self.vertex.address:
            return VertexPlatform.of(self.settings)
        return VertexPlatform(self.settings, services=lambda: self._services, every=0.001)

    @property
    def calls(self) -> Calls:
        """To the fake."""
        return Calls(self.settings, services=lambda: self._services, every=0.001)

    def close(self) -> None:
        """Let go of ports and threads."""
        self._channel.close()
        self.vertex.stop()

    def faults(self) -> tuple[Fault, ...]:
        """What Google says of each, as far as it is known; see google.rpc.Code."""
        code, refused = grpc.StatusCode, self._refusing
        denied = "Permission 'aiplatform.endpoints.update' denied on resource"
        exceeded = "The following quota metrics exceed quota limits: custom_model_serving_cpus"
        pace = "Quota exceeded for quota metric 'Resource management requests' per minute"
        return (
            Fault(
                "credentials missing",
                self._signed_out,
                BadInput,
                "no credentials .*gcloud auth application-d",
            ),
            Fault(
                "credentials refused", refused("", code.UNAUTHENTICATED, "invalid"), BadInput, "gcloud auth"
            ),
            Fault(
                "permission",
                refused("UpdateEndpoint", code.PERMISSION_DENIED, denied),
                BadInput,
                "endpoints.up",
            ),
            Fault(
                "quota",
                refused("DeployModel", code.RESOURCE_EXHAUSTED, exceeded),
                BadInput,
                "quota is used up",
            ),
            Fault("pace", refused("", code.RESOURCE_EXHAUSTED, pace), Unavailable, "in a minute"),
            Fault(
                "time-out", self._stalled, Unavailable, "MLOPS_TARGET_TIMEOUT.* goes on there: run the same"
            ),
            Fault("out of reach", self._out_of_reach, Unavailable, "out of reach"),
            Fault(
                "somebody else", refused("UpdateEndpoint", code.ABORTED, "etag"), Unavailable, "somebody else"
            ),
            Fault(
                "broken", refused("DeployModel", code.INTERNAL, "System error"), MlopsError, "still serves"
            ),
        )

    def dies_after(self, calls: int) -> AbstractContextManager[object]:
        """The client does."""
        return self._living(calls)

    def lying(self, release: Release) -> AbstractContextManager[object]:
        """Its servers do."""
        return self._lying(release.digest)

    @contextmanager
    def _living(self, calls: int) -> Iterator[None]:
        self.lives = calls
        try:
            yield
        finally:
            self.lives = None

    @contextmanager
    def _lying(self, digest: str) -> Iterator[None]:
        self.vertex.liars.add(digest)
        yield
        self.vertex.liars.remove(digest)

    def _refusing(self, method: str, code: Any, says: str) -> Callable[[], AbstractContextManager[object]]:
        @contextmanager
        def on() -> Iterator[None]:
            self.vertex.undeploy_idle()
            self.vertex.refusing = (method, code, says)
            try:
                yield
            finally:
                self.vertex.refusing = None

        return on

    @contextmanager
    def _stalled(self) -> Iterator[None]:
        self.vertex.undeploy_idle()
        self.vertex.operations.stalled = True
        with self._set(target_timeout=0.05):
            yield
        assert self.deployer.status("churn").state == "changing"
        self.vertex.operations.stalled = False

    @contextmanager
    def _signed_out(self) -> Iterator[None]:
        """As on a machine whose key file is gone."""
        with (
            patch.dict(os.environ, {"GOOGLE_APPLICATION_CREDENTIALS": "/nowhere/key.json"}),
            self._set(vertex_endpoint="vertex.invalid:443"),
        ):
            yield

    @contextmanager
    def _out_of_reach(self) -> Iterator[None]:
        with self._set(vertex_endpoint="127.0.0.1:1"):
            yield

    @contextmanager
    def _set(self, **changes: object) -> Iterator[None]:
        before = self.settings
        self.settings = before.model_copy(update=changes)
        try:
            yield
        finally:
            self.settings = before


class _Mortal(grpc.UnaryUnaryClientInterceptor):  # type: ignore[misc]  # grpc ships no types
    """Counts the calls of one rig, and dies."""

    def __init__(self, rig: FakeVertexRig) -> None:
        self._rig = rig

    def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        """See grpc.UnaryUnaryClientInterceptor."""
        if self._rig.lives is not None:
            self._rig.lives -= 1
            if self._rig.lives < 0:
                raise Killed
        return continuation(client_call_details, request)


def _settings(address: str, artifacts: str) -> Settings:
    return Settings(
        target="vertex",
        target_timeout=30.0,
        artifacts=artifacts,
        image=IMAGE,
        vertex_project="shop",
        vertex_service_account=ACCOUNT,
        vertex_endpoint=address,
    )
