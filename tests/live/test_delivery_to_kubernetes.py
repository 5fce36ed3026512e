"""The whole of a delivery with MLOPS_TARGET=kubernetes: the same commands, another target.

The cluster is the fake of tests/kubernetes: an API server whose pods are servers of ours in this process.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from mlops_core.cli import main
from tests.deployer.kubernetes_rig import fake_settings, kubeconfig
from tests.flows.purchases import write_purchases
from tests.flows.shop import ELSEWHERE
from tests.kubernetes.fake_api import FakeApi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.live

SHOP = "tests.flows.shop:ELSEWHERE"  # a person has to consent
SETTINGS = (
    "target", "artifacts", "image", "kubernetes_namespace", "kubernetes_gateway", "kubernetes_secret"
)  # fmt: skip


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApi]:
    """The settings name it."""
    settings = fake_settings(tmp_path)
    for name in SETTINGS:
        monkeypatch.setenv(f"MLOPS_{name}".upper(), getattr(settings, name))
    assert settings.token is not None
    monkeypatch.setenv("MLOPS_TOKEN", settings.token.get_secret_value())
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path / "home"))
    with FakeApi() as api, kubeconfig(tmp_path / "kubeconfig", api.url):
        yield api


@pytest.fixture
def mlops(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """`mlops …` by somebody, with its exit code as it should be; what it said."""

    def said(actor: str, *words: str, code: int = 0) -> str:
        monkeypatch.setenv("MLOPS_ACTOR", actor)
        found = main(words)
        told = capsys.readouterr()
        assert found == code, (words, told)
        return told.out + told.err

    return said


def status(mlops: Callable[..., str]) -> Any:
    """What `mlops traffic` says of the target."""
    return json.loads(mlops("ann", "traffic", SHOP, "--json"))


def test_a_version_goes_from_events_to_callers_of_a_cluster_and_back(
    cluster: FakeApi, mlops: Callable[..., str], tmp_path: Path
) -> None:
    for version, customers in ((1, 650), (2, 800)):
        data = write_purchases(tmp_path / f"{customers}.parquet", customers)
        mlops("ann", "run", SHOP, "--data", str(data), "--quiet")
        if version == 1:
            mlops("bob", "approve", SHOP, "1", "--reason", "the first one")
    assert answering(cluster, 20) == {"1"}

    assert "approve" in mlops("ann", "traffic", SHOP, "2", "--percent", "30", "--reason", "early", code=1)
    assert answering(cluster, 20) == {"1"}
    mlops("bob", "approve", SHOP, "2", "--reason", "read it", "--hold")
    mlops("ann", "canary", SHOP, "2")
    mlops("ann", "traffic", SHOP, "2", "--percent", "30", "--reason", "try it on some")
    assert status(mlops)["share"]["percent"] == 30
    assert answering(cluster, 100) == {"1", "2"}

    mlops("ann", "promote", SHOP, "2", "--reason", "it answers well")
    assert answering(cluster, 20) == {"2"}
    assert "the target predicts" in mlops("ann", "canary", SHOP, "2", "--served")
    mlops("ann", "registry", "verify", SHOP)
    mlops("ann", "predict", SHOP, "--id", "1")
    mlops("ann", "rollback", SHOP, "--reason", "looked at it again")
    assert answering(cluster, 20) == {"1"}
    assert "rolled back" in mlops("ann", "history", SHOP)


def test_a_release_that_was_tampered_with_in_the_bucket_serves_nobody(
    cluster: FakeApi, mlops: Callable[..., str], tmp_path: Path
) -> None:
    """The next delivery makes it again from the registry."""
    data = write_purchases(tmp_path / "650.parquet", 650)
    mlops("ann", "run", SHOP, "--data", str(data), "--quiet")
    mlops("bob", "approve", SHOP, "1", "--reason", "the first one")
    (model,) = (tmp_path / "published").rglob("model.skops")
    genuine = model.read_bytes()
    model.write_bytes(genuine + b" ")
    assert "model.skops was changed" in mlops("ann", "canary", SHOP, "1", "--served", code=1)
    mlops("ann", "run", SHOP, "--data", str(data), "--quiet")
    assert model.read_bytes() == genuine
    assert answering(cluster, 5) == {"1"}


def answering(cluster: FakeApi, times: int) -> set[str]:
    """The versions that callers of the Gateway meet."""
    row = [
        {"name": name, "shape": [1], "datatype": "FP64", "data": [1.0]} for name in ELSEWHERE.feature_names
    ]
    found = set()
    for draw in range(times):
        code, answer = cluster.through_gateway(
            "mlops-elsewhere", "/v2/models/elsewhere/infer", {"inputs": row}, draw
        )
        assert code == 200, answer
        found.add(answer["model_version"])
    return found
