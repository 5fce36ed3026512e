"""Releases in Vertex AI's Model Registry: a model for each use case, whose versions are its releases.

A version is found by its alias, `v<label of the release>-<mark of the server>`: another image, or other
machines for it, is another version. What release it is stands in its description. Versions stay: they cost
nothing, and are the history that people look for there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from mlops_core.adapters.deployer.platform import Placed
from mlops_core.adapters.vertex.errors import Purpose
from mlops_core.adapters.vertex.names import labels_of
from mlops_core.domain.digest import digest_of
from mlops_core.errors import BadInput, MlopsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_core.adapters.vertex.calls import Calls, Patience
    from mlops_core.adapters.vertex.names import Names
    from mlops_core.target_settings import TargetSettings

__all__ = ["Models"]

_PORT = 8080


class Models:
    """The versions that servers are made from."""

    def __init__(self, calls: Calls, names: Names, settings: TargetSettings) -> None:
        self._calls, self._names, self._settings = calls, names, settings

    def alias(self, placed: Placed) -> str:
        """Of the version that serves a release by the present settings: [a-z][a-zA-Z0-9-]{0,126}[a-z0-9]."""
        return f"{self.prefix(placed)}{digest_of([self._container(placed), self.resources])[:8]}"

    @staticmethod
    def prefix(placed: Placed) -> str:
        """What the aliases of a release begin with."""
        return f"v{placed.label}-"

    @property
    def resources(self) -> dict[str, Any]:
        """The machines of a version that is deployed (google.cloud.aiplatform.v1.DeployedModel)."""
        settings = self._settings
        return {
            "dedicated_resources": {
                "machine_spec": {"machine_type": settings.vertex_machine},
                "min_replica_count": settings.instances,
                "max_replica_count": max(settings.instances, settings.max_instances),
            },
            "service_account": settings.vertex_service_account,
        }

    def uploaded(self, placed: Placed, patience: Patience) -> str:
        """The name of the version of a release, which is uploaded unless it is there."""
        model, alias = self._names.model(placed.name), self.alias(placed)
        found = self._get(f"{model}@{alias}")
        if found is None:
            self._upload(placed, model, alias, patience)
            found = self._get(f"{model}@{alias}")
        if found is None:
            raise MlopsError(f"Vertex AI took {model}@{alias}, and does not find it: run the same again")
        self._own(found, placed.name)
        return f"{model}@{found.version_id}"

    def release(self, name: str, version_id: str) -> Placed | None:
        """What a version is a release of; None for one that is not ours."""
        found = self._get(f"{self._names.model(name)}@{version_id}")
        try:
            return None if found is None else Placed.model_validate_json(found.version_description)
        except ValidationError:
            return None

    def _get(self, version: str) -> Any:
        purpose = Purpose(f"look for the model {version.rpartition('/')[2]}", "aiplatform.models.get")
        return self._calls.find(self._calls.services.models.get_model, {"name": version}, purpose)

    def _upload(self, placed: Placed, model: str, alias: str, patience: Patience) -> None:
        purpose = Purpose(
            f"upload version {placed.version} of {placed.name}",
            "aiplatform.models.upload, and storage.objects.get for its service agent,",
        )
        self._calls.settle(model, purpose, patience)
        before = self._get(model)
        if before is not None:
            self._own(before, placed.name)
            if self._get(f"{model}@{alias}") is not None:
                return  # what went on was just that
        request = {
            "parent": self._names.parent,
            "model": self._described(placed, alias),
            **({"parent_model": model} if before else {"model_id": self._names.id(placed.name)}),
        }
        operation = self._calls.do(self._calls.services.models.upload_model, request, purpose).operation
        self._calls.finish(operation, purpose, patience)

    def _described(self, placed: Placed, alias: str) -> Mapping[str, Any]:
        """See google.cloud.aiplatform.v1.Model."""
        # What lies elsewhere than at Google is named by the container's variables alone
        at_google = {"artifact_uri": placed.url} if placed.url.startswith("gs://") else {}
        return {
            "display_name": placed.name,
            "version_aliases": [alias],
            "version_description": placed.model_dump_json(),
            "labels": dict(labels_of(placed.name)),
            "container_spec": self._container(placed),
            **at_google,
        }

    def _container(self, placed: Placed) -> dict[str, Any]:
        """See google.cloud.aiplatform.v1.ModelContainerSpec."""
        variables = {**placed.environment, "MLOPS_LOG_FORMAT": "json"}
        return {
            "image_uri": self._settings.image,
            "env": [{"name": name, "value": value} for name, value in variables.items()],
            "ports": [{"container_port": _PORT}],
            "health_route": "/v2/health/ready",
            "predict_route": "/instances",
        }

    @staticmethod
    def _own(found: Any, name: str) -> None:
        if not labels_of(name).items() <= dict(found.labels).items():
            raise BadInput(
                f"the model {found.name.rpartition('/')[2]} at Vertex AI was not made by this project: its "
                "labels are not ours. It is left alone; delete it or have the model of "
                f"{name!r} in another project (MLOPS_VERTEX_PROJECT)"
            )
