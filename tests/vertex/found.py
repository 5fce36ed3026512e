"""What tests look for in the fake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.deployer.vertex_rig import FakeVertexRig

__all__ = ["deployed", "endpoint"]


def endpoint(vertex: FakeVertexRig) -> Any:
    """The only one there is, as Vertex AI has it."""
    (found,) = vertex.vertex.endpoints.values()
    return found


def deployed(vertex: FakeVertexRig) -> set[str]:
    """Versions that run there."""
    return {one.display_name.partition("-")[0] for one in endpoint(vertex).deployed_models}
