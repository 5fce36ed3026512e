"""A `PipelineDAG` as text for other tools: pure functions."""

from mlops_core.exporters.mermaid import to_mermaid

__all__ = ["to_mermaid"]
