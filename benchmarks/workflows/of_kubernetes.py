"""deliver.yml with the target kubernetes: its jobs meet the fake API server of tests/kubernetes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.workflows.scenario import Run, Scenario
from benchmarks.workflows.states import SHOP
from tests.deployer.kubernetes_rig import fake_settings, write_kubeconfig
from tests.kubernetes.fake_api import SERVER_TOKEN, FakeApi

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.workflows.world import World

__all__ = ["on_kubernetes"]

_SETTINGS = ("artifacts", "image", "kubernetes_namespace", "kubernetes_gateway", "kubernetes_secret")

_SECRETS = {"MLOPS_TOKEN": SERVER_TOKEN}


def on_kubernetes() -> Scenario:
    """The first version: rehearsed on the runner, promoted to the cluster, and asked there."""
    told = {"use_case": SHOP, "version": "1", "target": "kubernetes"}
    skipped = frozenset({"review", "approval", "roll_back", "report"})
    return Scenario(
        "the first version ever (target kubernetes, a fake API server)",
        (Run("deliver", told, skipped=skipped, variables=_settings, secrets=_SECRETS, before=_begin),),
        {
            "version 1 answers callers of the Gateway": _answers,
            "the manifest is that of version 1": _manifest_kept,
        },
        "first",
    )


def _begin(world: World) -> None:
    world.cluster = FakeApi().__enter__()  # until this process ends
    write_kubeconfig(world.folder / "kubeconfig", world.cluster.url)


def _settings(world: World) -> Mapping[str, str]:
    settings = fake_settings(world.folder)
    lines = [f"MLOPS_{name.upper()}={getattr(settings, name)}" for name in _SETTINGS]
    return {"MLOPS_TARGET_SETTINGS": "\n".join([*lines, f"KUBECONFIG={world.folder / 'kubeconfig'}"])}


def _answers(world: World) -> bool:
    assert world.cluster is not None
    code, answer = world.cluster.through_gateway("mlops-shop", "/v2/models/shop/infer", {"inputs": []}, 0)
    serving = world.cluster.store.get("services", "mlops-shop")["spec"]["selector"]
    return code == 400 and "error" in answer and world.standing.production == 1 and "1-" in str(serving)


def _manifest_kept(world: World) -> bool:
    kept = world.ended[-1].artifacts / "release" / "release.json"
    (served,) = (world.folder / "published" / "shop").glob("1-*/release.json")
    return kept.read_bytes() == served.read_bytes()
