"""Endpoints of Vertex AI: one for each use case, and which deployed model of it answers whom.

Who serves and who is on trial stands in the endpoint's labels, by the ids of deployed models, and is written
together with the traffic split in one call: callers and labels go over at the same moment. A model is
deployed without traffic first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from mlops_core.adapters.vertex.errors import Purpose
from mlops_core.adapters.vertex.names import labels_of
from mlops_core.errors import BadInput, MlopsError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_core.adapters.vertex.calls import Calls, Patience
    from mlops_core.adapters.vertex.names import Names

__all__ = ["Endpoint", "Endpoints"]

_SERVING, _TRIAL, _PERCENT, _PREVIOUS = (
    f"mlops-{role}" for role in ("serving", "trial", "percent", "previous")
)
_ROLES = (_SERVING, _TRIAL, _PERCENT, _PREVIOUS)


class Endpoint(NamedTuple):
    """An endpoint as it is now; `raw` is google.cloud.aiplatform.v1.Endpoint. Roles are ids, or empty."""

    name: str
    raw: Any

    @property
    def deployed(self) -> Mapping[str, Any]:
        """What is deployed there, by id."""
        return {one.id: one for one in self.raw.deployed_models}

    @property
    def split(self) -> Mapping[str, int]:
        """Percent of the callers by id, of those that have any."""
        return {id_: percent for id_, percent in self.raw.traffic_split.items() if percent}

    @property
    def serving(self) -> str:
        """What serves."""
        return self._role(_SERVING)

    @property
    def trial(self) -> str:
        """What is on trial."""
        return self._role(_TRIAL)

    @property
    def previous(self) -> str:
        """What served before."""
        return self._role(_PREVIOUS)

    @property
    def percent(self) -> int:
        """What the trial was given."""
        given = self.raw.labels.get(_PERCENT, "")
        return int(given) if given.isdecimal() else 0

    def of(self, alias: str) -> str:
        """The id of what was deployed by that alias, or by one that begins so; those with callers first."""
        found = [id_ for id_, one in self.deployed.items() if one.display_name.startswith(alias)]
        return max(found, key=lambda id_: self.split.get(id_, 0), default="")

    def _role(self, label: str) -> str:
        id_ = str(self.raw.labels.get(label, ""))
        return id_ if id_ in self.deployed else ""


class Endpoints:
    """Those of one project and location."""

    def __init__(self, calls: Calls, names: Names) -> None:
        self._calls, self._names = calls, names

    def get(self, name: str) -> Endpoint | None:
        """That of a use case. Raises `BadInput` for one that is somebody else's."""
        purpose = Purpose(f"look for the endpoint of {name}", "aiplatform.endpoints.get")
        request = {"name": self._names.endpoint(name)}
        raw = self._calls.find(self._calls.services.endpoints.get_endpoint, request, purpose)
        if raw is None:
            return None
        if not labels_of(name).items() <= dict(raw.labels).items():
            raise BadInput(
                f"the endpoint {self._names.id(name)} at Vertex AI was not made by this project: its labels "
                f"are not ours. It is left alone; delete it or serve {name!r} in another project "
                "(MLOPS_VERTEX_PROJECT)"
            )
        return Endpoint(name, raw)

    def made(self, name: str, patience: Patience) -> Endpoint:
        """That of a use case, which is made unless it is there, at rest."""
        purpose = Purpose(f"create the endpoint of {name}", "aiplatform.endpoints.create")
        self._calls.settle(self._names.endpoint(name), purpose, patience)
        found = self.get(name)
        while found is None:
            self._create(name, purpose, patience)
            found = self.get(name)
        return found

    def at_rest(self, name: str, patience: Patience) -> Endpoint | None:
        """That of a use case once nothing goes on there; None where there is none."""
        purpose = Purpose(f"change the endpoint of {name}", "aiplatform.endpoints.update")
        self._calls.settle(self._names.endpoint(name), purpose, patience)
        return self.get(name)

    def deploy(
        self,
        endpoint: Endpoint,
        *,
        alias: str,
        version: str,
        resources: Mapping[str, Any],
        patience: Patience,
    ) -> Endpoint:
        """The endpoint with that version deployed, so far without callers."""
        if endpoint.of(alias):
            return endpoint
        purpose = Purpose(
            f"deploy {alias} of {endpoint.name}",
            "aiplatform.endpoints.deploy, and iam.serviceAccounts.actAs for its service account,",
        )
        request = {
            "endpoint": self._names.endpoint(endpoint.name),
            "deployed_model": {"model": version, "display_name": alias, **resources},
        }
        deploy = self._calls.services.endpoints.deploy_model
        self._calls.finish(self._calls.do(deploy, request, purpose).operation, purpose, patience)
        found = self.get(endpoint.name)
        if found is None or not found.of(alias):
            raise MlopsError(
                f"Vertex AI deployed {alias} of {endpoint.name}, and it is gone: somebody undeployed it. "
                "What served before still serves; run the same again"
            )
        return found

    def send(self, endpoint: Endpoint, *, serving: str, trial: str = "", percent: int = 0) -> Endpoint:
        """Have callers answered so, from the very next call of theirs on, and the labels say it."""
        previous = endpoint.previous if serving == endpoint.serving else endpoint.serving
        roles = {_SERVING: serving, _TRIAL: trial, _PREVIOUS: previous, _PERCENT: str(percent or "")}
        kept = {label: value for label, value in endpoint.raw.labels.items() if label not in _ROLES}
        labels = kept | {label: value for label, value in roles.items() if value}
        split = {serving: 100 - percent} | ({trial: percent} if trial else {})
        if labels == dict(endpoint.raw.labels) and split == endpoint.split:
            return endpoint
        purpose = Purpose(f"change who answers for {endpoint.name}", "aiplatform.endpoints.update")
        wanted = {
            "name": self._names.endpoint(endpoint.name),
            "traffic_split": split,
            "labels": labels,
            "etag": endpoint.raw.etag,
        }
        request = {"endpoint": wanted, "update_mask": {"paths": ["traffic_split", "labels"]}}
        return Endpoint(
            endpoint.name, self._calls.do(self._calls.services.endpoints.update_endpoint, request, purpose)
        )

    def sweep(self, endpoint: Endpoint, patience: Patience, *, also_later: bool) -> None:
        """Undeploy what we deployed and nobody needs: it costs its machines. Raises when that fails.

        `also_later`: with what is being deployed just now.
        """
        if not also_later and not self._idle(endpoint):
            return
        there = self.at_rest(endpoint.name, patience)
        undeploy = self._calls.services.endpoints.undeploy_model
        for id_ in self._idle(there) if there else ():
            purpose = Purpose(f"undeploy {id_} of {endpoint.name}", "aiplatform.endpoints.undeploy")
            request = {"endpoint": self._names.endpoint(endpoint.name), "deployed_model_id": id_}
            self._calls.finish(self._calls.do(undeploy, request, purpose).operation, purpose, patience)

    def _idle(self, endpoint: Endpoint) -> list[str]:
        """By id; what was deployed from a model of another name is somebody's own."""
        needed = {endpoint.serving, endpoint.trial, endpoint.previous, *endpoint.split}
        model = self._names.id(endpoint.name)
        return [
            id_
            for id_, one in endpoint.deployed.items()
            if id_ not in needed and one.model.rpartition("/")[2].partition("@")[0] == model
        ]

    def _create(self, name: str, purpose: Purpose, patience: Patience) -> None:
        request = {
            "parent": self._names.parent,
            "endpoint_id": self._names.id(name),
            "endpoint": {"display_name": name, "labels": dict(labels_of(name))},
        }
        create = self._calls.services.endpoints.create_endpoint
        try:
            self._calls.finish(self._calls.do(create, request, purpose).operation, purpose, patience)
        except Unavailable:  # somebody creates it just now, or did: it will be seen
            patience.wait(purpose.what)
