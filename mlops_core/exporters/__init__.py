"""A `PipelineDAG`, a use case's features or a version's descent, for other tools: pure functions."""

from mlops_core.exporters.feast import FeastRepository, to_feast
from mlops_core.exporters.mermaid import to_mermaid
from mlops_core.exporters.openlineage import to_openlineage

__all__ = ["FeastRepository", "to_feast", "to_mermaid", "to_openlineage"]
