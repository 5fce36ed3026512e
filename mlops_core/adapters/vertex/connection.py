"""The way to Vertex AI: its library, credentials and services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from mlops_core.adapters.vertex.errors import no_credentials
from mlops_core.errors import BadInput

if TYPE_CHECKING:
    from mlops_core.target_settings import TargetSettings

__all__ = ["Services", "connected", "services"]

_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)


class Services(NamedTuple):
    """Google's clients for one channel; they have no types that say more than their names."""

    endpoints: Any
    models: Any
    predictions: Any


def connected(settings: TargetSettings) -> Services:
    """The services that the settings name. Raises `BadInput` without the library or credentials.

    Credentials are Google's default ones; to a loopback address nothing is signed, nor encrypted.
    """
    host = settings.vertex_endpoint or f"{settings.vertex_location}-aiplatform.googleapis.com"
    try:
        import grpc  # type: ignore[import-untyped]  # it ships no types
        from google.auth.exceptions import DefaultCredentialsError
        from google.cloud.aiplatform_v1.services.endpoint_service import EndpointServiceClient
    except ImportError as error:
        raise BadInput(
            f"Vertex AI's library is not installed ({error}): pip install 'mlops-core[vertex]'"
        ) from error
    if host.rpartition(":")[0] in _LOOPBACK:
        return services(grpc.insecure_channel(host))
    try:
        transport: Any = EndpointServiceClient.get_transport_class("grpc")
        return services(transport.create_channel(host, scopes=_SCOPES))
    except DefaultCredentialsError as error:
        raise no_credentials(error) from error


def services(channel: Any) -> Services:
    """Google's clients on a gRPC channel."""
    from google.cloud.aiplatform_v1.services.endpoint_service import EndpointServiceClient
    from google.cloud.aiplatform_v1.services.model_service import ModelServiceClient
    from google.cloud.aiplatform_v1.services.prediction_service import PredictionServiceClient

    kinds: tuple[Any, ...] = (EndpointServiceClient, ModelServiceClient, PredictionServiceClient)
    return Services(*(kind(transport=kind.get_transport_class("grpc")(channel=channel)) for kind in kinds))
