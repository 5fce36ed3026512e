"""What the server says of itself and of its model (Open Inference Protocol v2, metadata and health)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from mlops_core.domain.metrics import task_of
from mlops_core.domain.outputs import OUTPUTS
from mlops_core.domain.value import Value

if TYPE_CHECKING:
    from mlops_core.domain.release import Release

__all__ = ["ModelMetadata", "ModelReady", "ServerLive", "ServerMetadata", "ServerReady", "TensorMetadata"]


class ServerMetadata(Value):
    """Which server this is."""

    name: str
    version: str
    extensions: list[str]


class ServerLive(Value):
    """The server answers."""

    live: Literal[True] = True


class ServerReady(Value):
    """The server can predict; when it cannot, it answers 503 with an error that says why."""

    ready: Literal[True] = True


class ModelReady(Value):
    """This model can predict."""

    name: str
    ready: Literal[True] = True


class TensorMetadata(Value):
    """A tensor's name, type and shape; -1 for any number of rows."""

    name: str
    datatype: str
    shape: tuple[int, ...] = (-1,)


class ModelMetadata(Value):
    """What the model takes and gives. `versions` are the one that serves and, after it, one on trial."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]

    @classmethod
    def of(cls, release: Release, versions: list[str]) -> ModelMetadata:
        """Metadata of a release, one of `versions`; its inputs in the order in which the model reads them."""
        outputs = OUTPUTS[task_of(release.threshold)]
        return cls(
            name=release.name,
            versions=versions,
            platform=f"mlops_{release.candidate}",
            inputs=[TensorMetadata(name=name, datatype="FP64") for name in release.feature_names],
            outputs=[TensorMetadata(name=name, datatype=datatype) for name, datatype in outputs.items()],
        )
