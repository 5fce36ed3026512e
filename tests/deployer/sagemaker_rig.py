"""SageMaker for the conformance suite: on moto and the fake in tests/sagemaker/endpoints.py, and for real."""

from __future__ import annotations

import json
import socket
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from mlops_core.adapters.deployer.object_store import opened
from mlops_core.adapters.deployer.published import PublishedReleases
from mlops_core.adapters.deployer.remote import RemoteDeployer
from mlops_core.adapters.sagemaker import SageMakerPlatform
from mlops_core.adapters.sagemaker.aws import Aws
from mlops_core.adapters.sagemaker.leftovers import clear
from mlops_core.adapters.sagemaker.names import endpoint_name
from mlops_core.adapters.trainer.memory import MemoryTrainer
from mlops_core.errors import BadInput, Unavailable
from mlops_core.settings import Settings
from tests.deployer.release_server import ONE_ROW
from tests.deployer.rig import Fault, Killed, Rig
from tests.sagemaker.account import BUCKET
from tests.sagemaker.on_moto import MotoAWS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from mlops_core.domain.release import Release
    from mlops_core.ports import Trainer

__all__ = ["FakeSageMakerRig", "SageMakerRig", "fake", "fake_with_s3", "moto_aws", "real"]

_NAMES = ("churn", "returns")  # what the suite deploys
_SERVER = pytest.StashKey[MotoAWS]()
_DENIED = (
    "AccessDeniedException",
    "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: sagemaker:UpdateEndpoint",
)
_QUOTA = (
    "ResourceLimitExceeded",
    "The account-level service limit 'ml.m5.large for endpoint usage' is 4 Instances, with current "
    "utilization of 4 Instances and a request delta of 2 Instances.",
)


class SageMakerRig(Rig):
    """`RemoteDeployer` on SageMaker, releases published at S3."""

    target = "sagemaker"
    is_fake = False

    def __init__(self, settings: Settings, aws: Aws, trainer: Trainer) -> None:
        self.settings, self.aws, self._trainer = settings, aws, trainer
        assert settings.artifacts is not None
        self._published = PublishedReleases(settings.artifacts, trainer)

    @property
    def deployer(self) -> RemoteDeployer:
        """A new one on the same account."""
        return RemoteDeployer(self.platform, self._published)

    @property
    def platform(self) -> SageMakerPlatform:
        """What the deployer is told to use."""
        return SageMakerPlatform(self.settings, self.aws)

    def call(self, name: str, times: int) -> Counter[int]:
        """By InvokeEndpoint."""
        found: Counter[int] = Counter()
        for _ in range(times):
            answer = self.aws.ask(
                "invoke_endpoint",
                EndpointName=endpoint_name(name),
                ContentType="application/json",
                Body=json.dumps(ONE_ROW).encode(),
            )
            found[int(json.loads(answer["Body"].read())["model_version"])] += 1
        return found

    def tamper(self, release: Release) -> None:
        """A byte more."""
        store, root = opened(f"{release.uri}/model/{next(iter(release.files))}")
        store.pipe_file(root, store.cat_file(root) + b" ")


class FakeSageMakerRig(SageMakerRig):
    """The same on the fake, where a look takes no time."""

    is_fake = True

    def __init__(self, moto: MotoAWS, settings: Settings) -> None:
        super().__init__(settings, moto.aws, MemoryTrainer())
        self.moto, self.endpoints = moto, moto.endpoints

    @property
    def platform(self) -> SageMakerPlatform:
        """One that does not wait between two looks."""
        return SageMakerPlatform(self.settings, self.aws, pause=self.pause)

    def pause(self, seconds: float) -> None:
        """What happens between two looks: nothing."""

    def call(self, name: str, times: int) -> Counter[int]:
        """Without the line between, which the deployer's own requests go over."""
        found: Counter[int] = Counter()
        for _ in range(times):
            status, _, answer = self.endpoints.invoke(endpoint_name(name), None, ONE_ROW)
            assert status == 200, answer
            found[int(answer["model_version"])] += 1
        return found

    def faults(self) -> tuple[Fault, ...]:
        """By what is left out, by what AWS says, and by where nobody listens."""
        return (
            Fault("credentials missing", self._signed_out, BadInput, r"without credentials .* Sign in"),
            Fault(
                "credentials refused", lambda: self._saying(_DENIED), BadInput, "needs the permission sagem"
            ),
            Fault(
                "quota", lambda: self._saying(_QUOTA), BadInput, "the quota 'ml.m5.large for endpoint usage'"
            ),
            Fault("time-out", self._stuck, Unavailable, r"is still Updating after .*MLOPS_TARGET_TIMEOUT"),
            Fault("out of reach", self._nobody_listens, Unavailable, "out of reach: Could not connect"),
        )

    def dies_after(self, calls: int) -> AbstractContextManager[object]:
        """In a request of the deployer's to SageMaker or CloudWatch, before it leaves."""
        return self._dying(calls)

    def lying(self, release: Release) -> AbstractContextManager[object]:
        """The server of that model answers otherwise."""
        return self._lying(release)

    @contextmanager
    def _saying(self, words: tuple[str, str]) -> Iterator[None]:
        self.endpoints.failing["update_endpoint"] = words
        yield
        self.endpoints.failing.clear()

    @contextmanager
    def _stuck(self) -> Iterator[None]:
        before = self.settings
        self.settings = before.model_copy(update={"target_timeout": 0.02})
        self.endpoints.stuck = True
        yield
        self.endpoints.stuck, self.settings = False, before

    @contextmanager
    def _other(self, aws: Aws) -> Iterator[None]:
        before, self.aws = self.aws, aws
        yield
        self.aws = before

    @contextmanager
    def _signed_out(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
                patch.delenv(name)
            with self._other(Aws(attempts=1)):
                yield

    @contextmanager
    def _nobody_listens(self) -> Iterator[None]:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        with self._other(Aws(session=self.moto.session, endpoint_url=f"http://127.0.0.1:{port}", attempts=1)):
            yield

    @contextmanager
    def _dying(self, calls: int) -> Iterator[None]:
        lives = calls

        def die() -> None:
            nonlocal lives
            lives -= 1
            if lives < 0:
                raise Killed

        self.moto.before = die
        try:
            yield
        finally:
            self.moto.before = lambda: None

    @contextmanager
    def _lying(self, release: Release) -> Iterator[None]:
        self.endpoints.liar = (release.version, release.digest)
        yield
        self.endpoints.liar = None


def settings(**changes: Any) -> Settings:
    """Of a machine that delivers to the fake."""
    given: dict[str, Any] = {
        "target": "sagemaker",
        "artifacts": f"s3://{BUCKET}/models",
        "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/mlops:1",
        "sagemaker_role": "arn:aws:iam::123456789012:role/mlops-server",
        "target_timeout": 20.0,
    }
    return Settings(**{**given, **changes})


def moto_aws(request: pytest.FixtureRequest) -> MotoAWS:
    """The server of this process, started when it is first asked for."""
    stash = request.config.stash
    if _SERVER not in stash:
        stash[_SERVER] = MotoAWS()
        request.config.add_cleanup(stash[_SERVER].stop)
    return stash[_SERVER]


@contextmanager
def fake(request: pytest.FixtureRequest, folder: Path) -> Iterator[FakeSageMakerRig]:
    """The fake, with nothing in it; releases lie in a folder, which is faster than S3."""
    with _empty(request) as moto:
        yield FakeSageMakerRig(moto, settings(artifacts=f"file://{folder}/published"))


@contextmanager
def fake_with_s3(request: pytest.FixtureRequest) -> Iterator[FakeSageMakerRig]:
    """The same, and releases at moto's S3."""
    with _empty(request) as moto:
        yield FakeSageMakerRig(moto, settings())


@contextmanager
def _empty(request: pytest.FixtureRequest) -> Iterator[MotoAWS]:
    moto = moto_aws(request)
    moto.endpoints.reset()
    with moto.environment():
        yield moto


@contextmanager
def real(folder: Path) -> Iterator[SageMakerRig]:
    """The account that the settings name; what the suite makes there is deleted afterwards."""
    del folder
    from mlops_core.adapters.trainer.sklearn import SklearnTrainer

    found = Settings.load()
    aws = Aws(endpoint_url=found.sagemaker_endpoint_url)
    for name in _NAMES:
        if aws.look("describe_endpoint", EndpointName=endpoint_name(name)) is not None:
            pytest.exit(f"{endpoint_name(name)} serves in this account: try it in another one, or delete it")
    try:
        yield SageMakerRig(found, aws, SklearnTrainer())
    finally:
        for name in _NAMES:
            aws.look("delete_endpoint", EndpointName=endpoint_name(name))
            clear(aws, name, keep=set())
