"""A `PipelineDAG`, or a use case's features, as text for other tools: pure functions."""

from mlops_core.exporters.feast import FeastRepository, to_feast
from mlops_core.exporters.mermaid import to_mermaid

__all__ = ["FeastRepository", "to_feast", "to_mermaid"]
