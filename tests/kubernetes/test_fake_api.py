"""What the fake API server does as real ones do: the tests of all else rest on it."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from mlops_core.manifests import model_objects
from tests.kubernetes.store import Refused, Store
from tests.kubernetes.workloads import workload

NAME = workload().release


@pytest.fixture
def store() -> Store:
    return Store()


def made(kind: str) -> dict[str, Any]:
    found = next(one for one in model_objects(workload()) if one["kind"] == kind)
    return copy.deepcopy(found)


def test_applying_the_same_again_changes_nothing(store: Store) -> None:
    first = store.apply("deployments", made("Deployment"), "mlops")
    again = store.apply("deployments", made("Deployment"), "mlops")
    assert again["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
    assert again["metadata"]["generation"] == 1


def test_a_dry_run_leaves_nothing(store: Store) -> None:
    store.apply("deployments", made("Deployment"), "mlops", dry=True)
    assert store.objects == {}


def test_what_another_set_is_a_conflict_and_stays(store: Store) -> None:
    """Unless both want the same, or it is taken by force."""
    deployment = made("Deployment")
    store.apply("deployments", deployment, "mlops")
    store.update("deployments", NAME, ("spec", "revisionHistoryLimit"), 7, "kubectl-edit")
    with pytest.raises(Refused) as refused:
        store.apply("deployments", deployment, "mlops")
    assert refused.value.code == 409
    (cause,) = refused.value.body["details"]["causes"]
    assert (cause["field"], "kubectl-edit" in cause["message"]) == (".spec.revisionHistoryLimit", True)
    assert store.get("deployments", NAME)["spec"]["revisionHistoryLimit"] == 7
    store.apply("deployments", deployment, "mlops", force=True)
    assert store.get("deployments", NAME)["spec"]["revisionHistoryLimit"] == 1


def test_replicas_that_are_applied_take_them_from_the_autoscaler(store: Store) -> None:
    deployment = made("Deployment")
    store.apply("deployments", deployment, "mlops")
    store.update("deployments", NAME, ("spec", "replicas"), 4, "kube-controller-manager")
    assert store.apply("deployments", deployment, "mlops")["spec"]["replicas"] == 4
    deployment["spec"]["replicas"] = 1
    with pytest.raises(Refused, match="conflict"):
        store.apply("deployments", deployment, "mlops")


def test_what_is_no_longer_applied_goes(store: Store) -> None:
    service = made("Service")
    store.apply("services", service, "mlops")
    del service["metadata"]["annotations"]["mlops/model"]
    assert "mlops/model" not in store.apply("services", service, "mlops")["metadata"]["annotations"]


@pytest.mark.parametrize(
    ("kind", "path", "value", "said"),
    [
        ("Service", ("ports", 0, "port"), 70_000, "70000: must be between 1 and 65535"),
        ("Deployment", ("selector", "matchLabels"), {"app": "other"}, "does not match"),
        ("Deployment", ("revisionHistoryLimit",), "many", "'many' is not of type"),
        ("Deployment", ("replica",), 3, "'replica' was unexpected"),
        ("HTTPRoute", ("rules", 0, "backendRefs", 0, "weight"), -1, "-1 is less than the minimum"),
    ],
)
def test_what_is_invalid_is_refused(
    store: Store, kind: str, path: tuple[Any, ...], value: Any, said: str
) -> None:
    given = made(kind)
    at = given["spec"]
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    with pytest.raises(Refused, match=said) as refused:
        store.apply(kind.lower() + "s", given, "mlops")
    assert refused.value.code == 422
    assert store.objects == {}


def test_a_selector_is_never_changed(store: Store) -> None:
    deployment = made("Deployment")
    store.apply("deployments", deployment, "mlops")
    labels = deployment["spec"]["selector"]["matchLabels"]
    del labels["mlops/release"]
    with pytest.raises(Refused, match="field is immutable"):
        store.apply("deployments", deployment, "mlops")


def test_a_port_wants_its_protocol(store: Store) -> None:
    service = made("Service")
    del service["spec"]["ports"][0]["protocol"]
    with pytest.raises(Refused, match="protocol"):
        store.apply("services", service, "mlops")
