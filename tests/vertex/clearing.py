"""What the suite left at Vertex AI goes away: endpoints cost their machines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_core.adapters.vertex.endpoints import Endpoints
from mlops_core.adapters.vertex.errors import Purpose
from mlops_core.adapters.vertex.names import labels_of

if TYPE_CHECKING:
    from mlops_core.adapters.vertex.calls import Calls
    from mlops_core.adapters.vertex.names import Names

__all__ = ["clear"]


def clear(calls: Calls, names: Names, name: str) -> None:
    """Delete the endpoint and the model of a use case, if they are there and ours."""
    patience, services = calls.patience(), calls.services
    found = Endpoints(calls, names).at_rest(name, patience)
    if found is not None:
        purpose = Purpose(f"delete the endpoint of {name}", "aiplatform.endpoints.delete")
        endpoint = {"name": names.endpoint(name)}
        nobody = {"endpoint": endpoint, "update_mask": {"paths": ["traffic_split"]}}
        calls.do(services.endpoints.update_endpoint, nobody, purpose)
        for id_ in found.deployed:
            undeploy = {"endpoint": endpoint["name"], "deployed_model_id": id_}
            operation = calls.do(services.endpoints.undeploy_model, undeploy, purpose).operation
            calls.finish(operation, purpose, patience)
        operation = calls.do(services.endpoints.delete_endpoint, endpoint, purpose).operation
        calls.finish(operation, purpose, patience)
    purpose = Purpose(f"delete the model of {name}", "aiplatform.models.delete")
    model = calls.find(services.models.get_model, {"name": names.model(name)}, purpose)
    if model is not None and labels_of(name).items() <= dict(model.labels).items():
        operation = calls.do(services.models.delete_model, {"name": names.model(name)}, purpose).operation
        calls.finish(operation, purpose, patience)
