"""What has to be set for Vertex AI; nothing of Google's is imported for that."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from mlops_core.adapters.vertex import VertexPlatform
from mlops_core.adapters.vertex.names import Names, labels_of
from mlops_core.errors import BadInput
from mlops_core.settings import Settings

COMPLETE: dict[str, Any] = {
    "vertex_project": "shop",
    "vertex_service_account": "models@shop.iam.gserviceaccount.com",
    "image": "europe-west1-docker.pkg.dev/shop/models/mlops:1",
    "artifacts": "gs://shop-models/releases",
}


def test_all_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(BadInput, match=r"VERTEX_PROJECT .*VERTEX_SERVICE_ACCOUNT .*IMAGE .*ARTIFACTS "):
        VertexPlatform.of(Settings())


@pytest.mark.parametrize("field", list(COMPLETE))
def test_each_is_needed(field: str) -> None:
    with pytest.raises(BadInput, match=f"the target vertex needs MLOPS_{field.upper()} \\([^()]*\\)$"):
        VertexPlatform.of(Settings(**{name: value for name, value in COMPLETE.items() if name != field}))


def test_releases_lie_where_google_s_servers_can_read_them() -> None:
    with pytest.raises(BadInput, match=r"'s3://shop/releases'.*gs://"):
        VertexPlatform.of(Settings(**{**COMPLETE, "artifacts": "s3://shop/releases"}))


@pytest.mark.parametrize("library", ["grpc", "google.cloud.aiplatform_v1.services.endpoint_service"])
def test_an_installation_without_the_library_says_which_extra_has_it(
    monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    """At the first use: settings alone need none."""
    platform = VertexPlatform.of(Settings(**COMPLETE))
    for name in {library, *(one for one in sys.modules if one.startswith("google.cloud.aiplatform"))}:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, "google.cloud.aiplatform_v1", None)
    with pytest.raises(BadInput, match=r"pip install 'mlops-core\[vertex\]'"):
        platform.seen("churn")


def test_names_of_use_cases_stay_apart() -> None:
    """However they differ, and all are what Vertex AI takes."""
    names = ["churn", "Churn", "churn_", "a" * 63, "a" * 62 + "b", "churn_2", "churn2"]
    ids = {Names.id(name) for name in names}
    assert len(ids) == len(names)
    assert all(len(one) <= 63 and one.replace("-", "").isalnum() and not one.endswith("-") for one in ids)
    assert len({labels_of(name)["mlops-name"] for name in names}) == len(names)
    assert all(len(value) <= 63 for name in names for value in labels_of(name).values())
