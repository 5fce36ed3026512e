"""What only Kubernetes has to do as a target, against the fake API server of tests/kubernetes."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any

import pytest

from mlops_core.adapters.deployer.platform import Placed
from mlops_core.adapters.kubernetes import workload_of
from mlops_core.domain.traffic import Bounds
from mlops_core.errors import BadInput, MlopsError, Unavailable
from mlops_core.manifests import argo_objects
from tests.deployer.kubernetes_rig import fake, fake_settings, kubeconfig
from tests.deployer.release_server import ONE_ROW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mlops_core.domain.release import Bundle, Release
    from tests.deployer.kubernetes_rig import FakeKubernetesRig

    MakeBundle = Callable[..., Bundle]

pytestmark = pytest.mark.live
INFER = "/v2/models/churn/infer"


@pytest.fixture
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FakeKubernetesRig]:
    with fake(request, tmp_path) as made:
        yield made


@pytest.fixture
def two(rig: FakeKubernetesRig, make_bundle: MakeBundle) -> tuple[Release, Release]:
    """Two releases, the first of which serves."""
    deployer = rig.deployer
    first, second = deployer.prepare(make_bundle(1)), deployer.prepare(make_bundle(2))
    deployer.activate(first)
    return first, second


def running(rig: FakeKubernetesRig) -> list[int]:
    """The versions that there are servers of."""
    found = rig.api.store.chosen("deployments", {})
    return sorted(int(one["metadata"]["labels"]["app.kubernetes.io/version"]) for one in found)


def kinds(rig: FakeKubernetesRig) -> set[str]:
    return {kind for kind, _ in rig.api.store.objects}


def test_what_nothing_needs_is_deleted_and_going_back_starts_nothing(
    rig: FakeKubernetesRig, two: tuple[Release, Release], make_bundle: MakeBundle
) -> None:
    """What serves and what served before stay, with all their objects, and no others."""
    third = rig.deployer.prepare(make_bundle(3))
    for release in (two[1], third):
        rig.deployer.activate(release)
    assert running(rig) == [2, 3]
    names = [name for kind, name in rig.api.store.objects if kind == "services"]
    assert len(names) == 3  # the model's and one a release
    before = len(rig.api.controllers._servers)
    rig.deployer.activate(two[1])
    assert (running(rig), len(rig.api.controllers._servers)) == ([2, 3], before)


def test_replicas_are_the_autoscalers(rig: FakeKubernetesRig, two: tuple[Release, Release]) -> None:
    """It scaled under load; serving the same again does not put that back."""
    (deployment,) = rig.api.store.chosen("deployments", {})
    name = deployment["metadata"]["name"]
    assert deployment["spec"]["replicas"] == 2
    rig.api.store.update("deployments", name, ("spec", "replicas"), 4, "kube-controller-manager")
    rig.deployer.activate(two[0])
    assert rig.api.store.get("deployments", name)["spec"]["replicas"] == 4


def test_serving_what_serves_leaves_every_object_as_it_is(
    rig: FakeKubernetesRig, two: tuple[Release, Release]
) -> None:
    def versions() -> dict[Any, str]:
        return {key: made["metadata"]["resourceVersion"] for key, made in rig.api.store.objects.items()}

    before = versions()
    rig.deployer.activate(two[0])
    assert versions() == before


def test_an_object_of_somebody_else_is_left_alone(rig: FakeKubernetesRig, make_bundle: MakeBundle) -> None:
    """Of the same name, and not ours: nothing is applied at all."""
    theirs = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "mlops-churn", "namespace": "models", "labels": {"team": "other"}},
        "spec": {"ports": [{"port": 80, "protocol": "TCP"}]},
    }
    rig.api.store.apply("services", theirs, "helm")
    with pytest.raises(BadInput, match="Service mlops-churn in namespace models is there already"):
        rig.deployer.prepare(make_bundle())
    assert set(rig.api.store.objects) == {("services", "mlops-churn")}
    assert rig.api.store.get("services", "mlops-churn")["metadata"]["labels"] == {"team": "other"}


def test_a_field_that_somebody_else_set_is_not_taken(
    rig: FakeKubernetesRig, two: tuple[Release, Release]
) -> None:
    """Found out by the dry run: nothing else is applied either."""
    rig.api.store.update("services", "mlops-churn", ("spec", "type"), "LoadBalancer", "kubectl-edit")
    before = dict(rig.api.store.objects)
    with pytest.raises(BadInput, match=r"\.spec\.type .*kubectl-edit.*--force-conflicts"):
        rig.deployer.activate(two[1])
    assert rig.api.store.objects == before
    assert rig.call("churn", 5) == {1: 5}


def test_servers_that_find_other_files_never_serve(
    rig: FakeKubernetesRig, two: tuple[Release, Release]
) -> None:
    """They end again and again: said with their last words, and what served before serves still."""
    found = Placed.of(two[1], "0" * 64)
    with pytest.raises(MlopsError, match=r"churn version 2 ends again and again: exit code 1, mlops: "):
        rig.platform.serve(found)
    assert rig.call("churn", 5) == {1: 5}
    status = rig.deployer.status("churn")
    assert (status.state, status.serving and status.serving.version) == ("failed", 1)
    assert "version 2 ends again and again" in (status.why or "")
    rig.deployer.withdraw("churn")
    assert (rig.deployer.status("churn").state, running(rig)) == ("ready", [1])
    rig.deployer.activate(two[1])
    assert (rig.deployer.status("churn").state, running(rig)) == ("ready", [1, 2])


def test_a_first_release_that_fails_serves_nobody(rig: FakeKubernetesRig, make_bundle: MakeBundle) -> None:
    release = rig.deployer.prepare(make_bundle())
    with pytest.raises(MlopsError, match="ends again and again"):
        rig.platform.serve(Placed.of(release, "0" * 64))
    status = rig.deployer.status("churn")
    assert (status.state, status.serving) == ("failed", None)


def test_a_trial_beyond_its_bounds_is_taken_back(
    rig: FakeKubernetesRig, two: tuple[Release, Release]
) -> None:
    """A model that raises at every request: found by its servers' own figures, and callers are rid of it."""
    rig.deployer.share(two[1], 50, bounds=Bounds(fewest=10))
    made = workload_of(rig.placed(two[1]), rig.settings)
    rig.api.controllers.faults.failing = {made.label}
    bad = 0
    for draw in range(100):
        bad += rig.api.through_gateway("mlops-churn", INFER, ONE_ROW, draw)[0] == 500
    assert bad == 50
    share = rig.deployer.status("churn").share
    assert share is not None
    assert "50 of its 51 requests failed" in (share.ended or "")  # one was our own, after it was shared
    assert (share.requests, share.errors) == (51, 50)
    assert rig.call("churn", 50) == {1: 50}
    assert rig.deployer.status("churn").share == share  # and it stays said, until the next trial or release
    rig.deployer.withdraw("churn")
    assert (rig.deployer.status("churn").share, running(rig)) == (None, [1])


def test_a_shadow_is_asked_as_many(rig: FakeKubernetesRig, two: tuple[Release, Release]) -> None:
    rig.deployer.share(two[1], 40, shadow=True)
    assert rig.call("churn", 100) == {1: 100}
    share = rig.deployer.status("churn").share
    assert share is not None
    assert (share.requests, share.errors) == (41, 0)  # and our own probes


def test_an_argo_analysis_asks_for_figures_that_servers_have(
    rig: FakeKubernetesRig, two: tuple[Release, Release]
) -> None:
    """By the names and labels of a server's own page."""
    rig.call("churn", 4)
    made = workload_of(rig.placed(two[0]), rig.settings)
    pod = rig.api.controllers.pods(made.of_release)[0]
    page = rig.api.controllers.answer(pod, "GET", "metrics", b"")[1].decode()
    (analysis,) = (one for one in argo_objects(made, Bounds()) if one["kind"] == "AnalysisTemplate")
    for metric in analysis["spec"]["metrics"]:
        query = metric["provider"]["prometheus"]["query"]
        asked = set(re.findall(r"mlops_\w+", query))
        assert asked
        assert all(f"\n{name}{{" in page for name in asked), page
        labels = set(re.findall(r'(\w+)=~?"', query)) - {"namespace", "pod"}  # those are Prometheus' own
        assert all(f'{label}="' in page for label in labels), page
        routes = re.findall(r'route=~"(.+?)"', query)
        assert any(re.search(f'route="({route})"', page) for route in routes)


@pytest.mark.usefixtures("two")
def test_callers_by_name_alone_come_through_the_gateway(rig: FakeKubernetesRig) -> None:
    """/NAME/predict is the server's /predict; what is not a prediction is not there."""
    code, answer = rig.api.through_gateway("mlops-churn", "/churn/predict", {"ids": ["a"]}, 0)
    assert (code, "online" in answer["error"]) == (503, True)  # /predict says so: this store has no features
    with pytest.raises(AssertionError, match="no rule takes /metrics"):
        rig.api.through_gateway("mlops-churn", "/metrics", {}, 0)


def test_without_a_gateway_the_service_leads_and_nothing_is_shared(
    rig: FakeKubernetesRig, make_bundle: MakeBundle
) -> None:
    rig.changes = {"kubernetes_gateway": None}
    first, second = (rig.deployer.prepare(make_bundle(version)) for version in (1, 2))
    for release in (first, second, first):
        rig.deployer.activate(release)
        code, answer = rig.api.through_service("mlops-churn", INFER, ONE_ROW)
        assert (code, answer["model_version"]) == (200, str(release.version))
    assert "httproutes" not in kinds(rig)
    with pytest.raises(BadInput, match="MLOPS_KUBERNETES_GATEWAY"):
        rig.deployer.share(second, 10)
    rig.deployer.withdraw("churn")
    assert rig.deployer.status("churn").share is None


def test_a_gateway_that_is_not_there_is_named(rig: FakeKubernetesRig, make_bundle: MakeBundle) -> None:
    rig.changes = {"kubernetes_gateway": "infra/other", "target_timeout": 0.05}
    release = rig.deployer.prepare(make_bundle())
    with pytest.raises(Unavailable, match="Gateway infra/other has not taken HTTPRoute mlops-churn"):
        rig.deployer.activate(release)


def test_a_server_that_wants_another_token_says_so(
    rig: FakeKubernetesRig, two: tuple[Release, Release]
) -> None:
    platform = type(rig.platform)(settings=fake_settings(rig.folder), token=None, poll=0.001)
    with pytest.raises(BadInput, match="wants a token: set MLOPS_TOKEN"):
        platform.ask(rig.placed(two[0]), ONE_ROW)


@pytest.mark.usefixtures("two")
def test_an_annotation_that_was_spoilt_is_named(rig: FakeKubernetesRig) -> None:
    path = ("metadata", "annotations", "mlops/serving")
    rig.api.store.update("services", "mlops-churn", path, json.dumps({"name": "churn"}), "kubectl-edit")
    with pytest.raises(MlopsError, match="mlops/serving of Service"):
        rig.deployer.current("churn")


def test_without_the_client_the_extra_is_named(
    rig: FakeKubernetesRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "kubernetes", None)
    monkeypatch.setitem(sys.modules, "kubernetes.client.exceptions", None)
    with pytest.raises(BadInput, match=r"pip install 'mlops-core\[kubernetes\]'"):
        rig.deployer.status("churn")


@pytest.mark.usefixtures("two")
def test_a_token_that_ran_out_is_told_from_one_that_may_too_little(
    rig: FakeKubernetesRig, tmp_path: Path
) -> None:
    with kubeconfig(tmp_path / "old", rig.api.url, "stale"), pytest.raises(BadInput, match="Sign in"):
        rig.deployer.status("churn")
    rig.api.forbidden = {("get", "services")}
    with pytest.raises(BadInput, match="the verb 'get' on services: see docs"):
        rig.deployer.status("churn")
