"""Kubernetes under the conformance suite: a fake API server here, the cluster of the settings for real."""

from __future__ import annotations

import os
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import yaml

from mlops_core.adapters.deployer.platform import Placed
from mlops_core.adapters.deployer.published import PublishedReleases
from mlops_core.adapters.deployer.remote import RemoteDeployer
from mlops_core.adapters.kubernetes import KubernetesPlatform
from mlops_core.adapters.kubernetes.cluster import Cluster
from mlops_core.adapters.kubernetes.workload import model_of
from mlops_core.adapters.trainer.memory import MemoryTrainer
from mlops_core.errors import BadInput, NotFound, Unavailable
from mlops_core.settings import Settings
from mlops_core.wiring import ConfiguredEngines
from tests.deployer.release_server import ONE_ROW
from tests.deployer.rig import Fault, Killed, Rig
from tests.kubernetes.fake_api import NAMESPACE, SECRET, SERVER_TOKEN, TOKEN, FakeApi
from tests.kubernetes.store import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    import pytest

    from mlops_core.domain.release import Release

__all__ = [
    "FakeKubernetesRig",
    "RealKubernetesRig",
    "fake",
    "fake_settings",
    "kubeconfig",
    "real",
    "write_kubeconfig",
]

_QUOTA = (
    'pods "mlops-churn-2" is forbidden: exceeded quota: models, requested: pods=1, used: pods=4, '
    "limited: pods=4"
)


@contextmanager
def fake(request: pytest.FixtureRequest, folder: Path) -> Iterator[FakeKubernetesRig]:
    """The fake of tests/kubernetes."""
    del request
    with FakeApi() as api, kubeconfig(folder / "kubeconfig", api.url):
        yield FakeKubernetesRig(api, folder)


@contextmanager
def real(folder: Path) -> Iterator[RealKubernetesRig]:
    """The cluster of the settings, in which churn and returns are this suite's: their objects are deleted."""
    del folder
    rig = RealKubernetesRig(Settings.load())
    rig.clean()
    try:
        yield rig
    finally:
        rig.clean()


@contextmanager
def kubeconfig(path: Path, url: str, token: str = TOKEN) -> Iterator[None]:
    """A kubeconfig of one cluster and one person, who signs in with this token."""
    write_kubeconfig(path, url, token)
    before = os.environ.get("KUBECONFIG")
    os.environ["KUBECONFIG"] = str(path)
    try:
        yield
    finally:
        os.environ.pop("KUBECONFIG")
        if before is not None:
            os.environ["KUBECONFIG"] = before


def write_kubeconfig(path: Path, url: str, token: str = TOKEN) -> None:
    """The file of that."""
    path.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "fake", "cluster": {"server": url}}],
                "users": [{"name": "ana", "user": {"token": token}}],
                "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "ana"}}],
                "current-context": "fake",
            }
        )
    )


def fake_settings(folder: Path, **changes: Any) -> Settings:
    """Those of the fake cluster."""
    given: dict[str, Any] = {
        "target": "kubernetes",
        "artifacts": f"file://{folder / 'published'}",
        "image": "registry.example/mlops@sha256:" + "0" * 64,
        "kubernetes_namespace": NAMESPACE,
        "kubernetes_gateway": "infra/edge",
        "kubernetes_secret": SECRET,
        "target_timeout": 20.0,
        "token": SERVER_TOKEN,
    }
    return Settings(**{**given, **changes})


class FakeKubernetesRig(Rig):
    """`changes` are of the settings, for the length of a fault."""

    target = "kubernetes"

    def __init__(self, api: FakeApi, folder: Path) -> None:
        self.api = api
        self.changes: dict[str, Any] = {}
        self.settings = fake_settings(folder)
        self.folder = folder
        self._lives: int | None = None
        self._draws = 0

    @property
    def platform(self) -> KubernetesPlatform:
        """A new one, whose client dies when it is told to."""
        settings = self.settings.model_copy(update=self.changes)
        made = KubernetesPlatform(settings=settings, token=SERVER_TOKEN, poll=0.001)
        _count_calls(made, self._step)
        return made

    @property
    def deployer(self) -> RemoteDeployer:
        """By that platform."""
        published = PublishedReleases(f"file://{self.folder / 'published'}", MemoryTrainer())
        return RemoteDeployer(self.platform, published)

    def placed(self, release: Release) -> Placed:
        """A release as the platform was told of it."""
        published = PublishedReleases(f"file://{self.folder / 'published'}", MemoryTrainer())
        found = published.find(release.name, release.version, release.digest)
        assert found is not None
        return Placed.of(*found)

    def call(self, name: str, times: int) -> Counter[int]:
        """Through the Gateway; a hundred draws that follow each other are each number once."""
        found: Counter[int] = Counter()
        path = f"/v2/models/{name}/infer"
        for _ in range(times):
            self._draws += 37
            code, answer = self.api.through_gateway(model_of(name), path, ONE_ROW, self._draws % 100)
            assert code == 200, answer
            found[int(answer["model_version"])] += 1
        return found

    def tamper(self, release: Release) -> None:
        """A byte more."""
        with open(f"{release.uri.removeprefix('file://')}/model/model.json", "ab") as stream:  # noqa: PTH123 - of a URL
            stream.write(b" ")

    def faults(self) -> tuple[Fault, ...]:
        """What the API server answers, and how pods fail."""
        unauthorized = Refused(401, "Unauthorized", "Unauthorized")
        busy = Refused(500, "InternalError", "etcdserver: request timed out")
        return (
            Fault("credentials missing", lambda: self._set(kubernetes_context="none"), BadInput, "'none'"),
            Fault("credentials refused", lambda: self._refusing(unauthorized), BadInput, "does not know who"),
            Fault("forbidden", self._forbidden, BadInput, r"verb 'patch' on horizontalpodautoscalers\.autos"),
            Fault("quota", lambda: self._pods(quota=_QUOTA), BadInput, "the quota is used up"),
            Fault("image", lambda: self._pods(pull="not found"), BadInput, "cannot be pulled .*MLOPS_IMAGE"),
            Fault(
                "time-out", self._slow, Unavailable, r"version 2 is not ready within 0\.02 s .*serves still"
            ),
            Fault("busy", lambda: self._refusing(busy), Unavailable, "500 etcdserver"),
            Fault("out of reach", self._unreachable, Unavailable, "is out of reach"),
            Fault("no Gateway API", self._no_gateway_api, BadInput, "Install the Gateway API"),
            Fault(
                "no namespace",
                lambda: self._set(kubernetes_namespace="nowhere"),
                NotFound,
                "there is no namespace 'nowhere'",
            ),
        )

    def dies_after(self, calls: int) -> AbstractContextManager[object]:
        """The client's calls are counted."""
        return self._living(calls)

    def lying(self, release: Release) -> AbstractContextManager[object]:
        """The servers of this release answer by another model."""
        return self._pods(liar=(release.version, release.digest))

    def _step(self) -> None:
        if self._lives is not None:
            self._lives -= 1
            if self._lives < 0:
                raise Killed

    @contextmanager
    def _living(self, calls: int) -> Iterator[None]:
        self._lives = calls
        try:
            yield
        finally:
            self._lives = None

    @contextmanager
    def _set(self, **changes: Any) -> Iterator[None]:
        self.changes = changes
        yield
        self.changes = {}

    @contextmanager
    def _refusing(self, refused: Refused) -> Iterator[None]:
        self.api.refusing = refused
        yield
        self.api.refusing = None

    @contextmanager
    def _forbidden(self) -> Iterator[None]:
        self.api.forbidden = {("patch", "horizontalpodautoscalers")}
        yield
        self.api.forbidden = set()

    @contextmanager
    def _no_gateway_api(self) -> Iterator[None]:
        self.api.absent = {"httproutes"}
        yield
        self.api.absent = set()

    @contextmanager
    def _unreachable(self) -> Iterator[None]:
        with kubeconfig(self.folder / "elsewhere", "http://127.0.0.1:9"):
            yield

    @contextmanager
    def _slow(self) -> Iterator[None]:
        with self._set(target_timeout=0.02), self._pods(stuck=True):
            yield
            assert self.deployer.status("churn").state == "changing"

    @contextmanager
    def _pods(self, **faults: Any) -> Iterator[None]:
        for name, value in faults.items():
            setattr(self.api.controllers.faults, name, value)
        if "liar" not in faults:
            self.api.forget_idle()  # else what served before is ready, and nothing is to be started
        yield
        for name in faults:
            setattr(self.api.controllers.faults, name, None)


class RealKubernetesRig(Rig):
    """The settings' own deployer; callers ask at the Gateway."""

    target = "kubernetes"
    is_fake = False

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        token = settings.token.get_secret_value() if settings.token else None
        self._cluster = Cluster(
            context=settings.kubernetes_context, namespace=settings.kubernetes_namespace, token=token
        )

    @property
    def deployer(self) -> RemoteDeployer:
        """By the wiring."""
        found = ConfiguredEngines(self._settings).releases
        assert isinstance(found, RemoteDeployer)
        return found

    def call(self, name: str, times: int) -> Counter[int]:
        """At TEST_GATEWAY, the address of the Gateway such as http://10.0.0.7, which shares requests."""
        import httpx

        found: Counter[int] = Counter()
        token = self._settings.token.get_secret_value() if self._settings.token else ""
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=os.environ["TEST_GATEWAY"], headers=headers, timeout=30) as client:
            for _ in range(times):
                answer = client.post(f"/v2/models/{name}/infer", json=ONE_ROW).raise_for_status()
                found[int(answer.json()["model_version"])] += 1
        return found

    def tamper(self, release: Release) -> None:
        """A byte more."""
        import fsspec

        store, root = fsspec.core.url_to_fs(release.uri)
        path = next(path for path in store.find(f"{root}/model"))
        store.pipe_file(path, store.cat_file(path) + b" ")

    def clean(self) -> None:
        """Delete what the suite's models have there."""
        for name in ("churn", "returns"):
            labels = {
                "app.kubernetes.io/managed-by": "mlops",
                "app.kubernetes.io/instance": model_of(name).removeprefix("mlops-"),
            }
            for kind in (
                "HTTPRoute",
                "Service",
                "HorizontalPodAutoscaler",
                "PodDisruptionBudget",
                "Deployment",
                "NetworkPolicy",
            ):
                for found in self._cluster.list(kind, labels):
                    self._cluster.delete(kind, found["metadata"]["name"])


def _count_calls(platform: KubernetesPlatform, step: Any) -> None:
    """Have every request of a platform's client counted before it is made."""
    cluster: Any = platform._cluster
    answer = cluster._answer

    def counted(*arguments: Any, **named: Any) -> Any:
        step()
        return answer(*arguments, **named)

    cluster._answer = counted
