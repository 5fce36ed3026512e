"""Google's Vertex AI: its API v1, by gRPC."""

from mlops_core.adapters.vertex.platform import VertexPlatform

__all__ = ["VertexPlatform"]
