"""What is rendered of a release: every version of Kubernetes takes it, and it is as safe as it can be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mlops_core.domain.traffic import Bounds
from mlops_core.errors import DefinitionError
from mlops_core.manifests import argo_objects, kserve_objects, model_objects, route, to_files
from mlops_core.settings import Settings
from tests.kubernetes.checks import VERSIONS, mistakes
from tests.kubernetes.workloads import workload

if TYPE_CHECKING:
    from mlops_core.manifests import Workload

LONG = "a_name_of_a_use_case_that_is_as_long_as_names_may_be_and_no_more"[:63]
KSERVE = "InferenceService"


def every_kind(of: Workload) -> list[dict[str, Any]]:
    return [*model_objects(of), *argo_objects(of, Bounds()), *kserve_objects(of, percent=10)]


def by_kind(objects: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    return next(one for one in objects if one["kind"] == kind)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"kubernetes_gateway": None, "kubernetes_secret": None, "kubernetes_service_account": None},
        {"kubernetes_gateway": "edge", "instances": 1, "max_instances": 1},
    ],
)
@pytest.mark.parametrize("name", ["churn", "Returns_2", LONG])
def test_every_object_is_valid(name: str, changes: dict[str, Any]) -> None:
    for made in every_kind(workload(name=name, **changes)):
        assert mistakes(made) == (), made["kind"]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_supported_version_takes_the_built_in_kinds(version: str) -> None:
    for made in every_kind(workload()):
        assert mistakes(made, version) == (), made["kind"]


@pytest.mark.parametrize(
    ("shadow", "percent", "weights", "copied"),
    [(False, 10, [90, 10], []), (False, 99, [1, 99], []), (True, 100, [100], [100])],
)
def test_a_trial_is_a_weight_or_a_copy(
    shadow: bool, percent: int, weights: list[int], copied: list[int]
) -> None:
    made = route(workload(), trial=workload(4), percent=percent, shadow=shadow, told="{}")
    assert mistakes(made) == ()
    for rule in made["spec"]["rules"]:
        assert [one["weight"] for one in rule["backendRefs"]] == weights
        filters = [
            one["requestMirror"]["percent"] for one in rule.get("filters", ()) if "requestMirror" in one
        ]
        assert filters == copied


def test_names_of_other_use_cases_are_other_names() -> None:
    """Also where one is what the other's release is called, or they differ where names are cut."""
    names = ["churn", "Churn", "churn_3", "churn_3_333333333333", LONG, LONG[:-1] + "x"]
    models = [workload(name=name).model for name in names]
    releases = [workload(name=name).release for name in names]
    assert len({*models, *releases}) == 2 * len(names)
    assert max(map(len, releases)) <= 63


def test_the_pod_may_nothing_that_it_need_not() -> None:
    spec = by_kind(model_objects(workload()), "Deployment")["spec"]
    pod = spec["template"]["spec"]
    (container,) = pod["containers"]
    assert "replicas" not in spec  # the autoscaler's
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False  # MLOPS_CHURN_SERVICE_HOST would be no setting
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_a_server_has_time_to_say_farewell() -> None:
    """The drain, and the 10 s that requests under way have after it."""
    pod = by_kind(model_objects(workload()), "Deployment")["spec"]["template"]["spec"]
    told = {one["name"]: one["value"] for one in pod["containers"][0]["env"]}
    assert pod["terminationGracePeriodSeconds"] > float(told["MLOPS_DRAIN"]) + 10
    assert Settings(drain=float(told["MLOPS_DRAIN"]), log_format=told["MLOPS_LOG_FORMAT"]).drain > 0


def test_the_variables_are_settings_and_none_is_a_secret() -> None:
    container = by_kind(model_objects(workload()), "Deployment")["spec"]["template"]["spec"]["containers"][0]
    names = {one["name"].removeprefix("MLOPS_").lower() for one in container["env"]}
    assert names <= set(Settings.model_fields)
    assert "token" not in names
    assert container["envFrom"] == [{"secretRef": {"name": "churn-server"}}]


def test_the_clouds_metadata_is_reached_by_an_account_alone() -> None:
    def blocks(**changes: Any) -> list[str]:
        policy = by_kind(model_objects(workload(**changes)), "NetworkPolicy")["spec"]
        return [to["ipBlock"]["cidr"] for rule in policy["egress"] for to in rule.get("to", ())]

    assert "169.254.169.254/32" in blocks()
    assert blocks(kubernetes_service_account=None) == []


def test_an_argo_rollout_is_aborted_beyond_the_bounds() -> None:
    objects = argo_objects(workload(), Bounds(error_rate=0.02, latency_ms=80, fewest=50))
    metrics = by_kind(objects, "AnalysisTemplate")["spec"]["metrics"]
    assert [one["successCondition"].rsplit(" ", 1)[1] for one in metrics] == ["0.02", "80"]
    assert all(">= 50" in one["provider"]["prometheus"]["query"] for one in metrics)
    rollout = by_kind(objects, "Rollout")["spec"]["strategy"]["canary"]
    names = {one["metadata"]["name"] for one in objects if one["kind"] == "Service"}
    assert {rollout["stableService"], rollout["canaryService"]} == names
    assert rollout["analysis"]["templates"] == [{"templateName": "mlops-churn"}]


def test_a_bound_that_was_lifted_is_not_analysed() -> None:
    metrics = by_kind(argo_objects(workload(), Bounds(latency_ms=None)), "AnalysisTemplate")["spec"][
        "metrics"
    ]
    assert [one["name"] for one in metrics] == ["error-rate"]


def test_kserve_runs_the_same_server() -> None:
    """A custom predictor, as KServe's documentation has it: the container's name says that it answers."""
    deployment = by_kind(model_objects(workload()), "Deployment")["spec"]["template"]["spec"]["containers"][0]
    made = by_kind(kserve_objects(workload(), percent=10), KSERVE)
    predictor = made["spec"]["predictor"]
    (container,) = predictor["containers"]
    own = {"minReplicas", "maxReplicas", "scaleMetric", "scaleTarget", "labels", "canaryTrafficPercent"}
    pod = {name: value for name, value in predictor.items() if name not in own}
    assert mistakes({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": pod}) == ()
    assert container == deployment | {"name": "kserve-container"}
    assert (predictor["minReplicas"], predictor["maxReplicas"]) == (2, 4)
    assert predictor["canaryTrafficPercent"] == 10
    assert "canaryTrafficPercent" not in by_kind(kserve_objects(workload()), KSERVE)["spec"]["predictor"]


def test_the_same_release_is_the_same_text() -> None:
    """A file an object, called by its kind: those of another release take their place."""
    texts = [to_files(model_objects(workload(version)), "mlops export churn") for version in (3, 3, 4)]
    assert texts[0] == texts[1]
    assert list(texts[0]) == list(texts[2])
    assert list(texts[0]) == [
        "kustomization.yaml",
        "networkpolicy.yaml",
        "deployment.yaml",
        "horizontalpodautoscaler.yaml",
        "poddisruptionbudget.yaml",
        "service.yaml",
        "service-2.yaml",
        "httproute.yaml",
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"image": None}, "MLOPS_IMAGE is not set"),
        ({"kubernetes_namespace": "Models"}, "MLOPS_KUBERNETES_NAMESPACE: 'Models'"),
        ({"kubernetes_secret": "a b"}, "MLOPS_KUBERNETES_SECRET: 'a b'"),
        ({"kubernetes_gateway": "infra/Edge"}, "MLOPS_KUBERNETES_GATEWAY: 'Edge'"),
    ],
)
def test_settings_that_cannot_be_meant_are_named(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(DefinitionError, match=said):
        workload(**changes)
