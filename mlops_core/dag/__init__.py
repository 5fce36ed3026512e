"""Tasks that depend on each other, and the in-process runner that walks them. Standard library only."""

from mlops_core.dag.combine import part_of, side_by_side
from mlops_core.dag.failure import RunFailed, RunTimedOut
from mlops_core.dag.graph import PipelineDAG
from mlops_core.dag.hooks import Hooks
from mlops_core.dag.report import RunReport, TaskRun, TaskState
from mlops_core.dag.retry import RetryPolicy
from mlops_core.dag.task import Context, Task

__all__ = [
    "Context",
    "Hooks",
    "PipelineDAG",
    "RetryPolicy",
    "RunFailed",
    "RunReport",
    "RunTimedOut",
    "Task",
    "TaskRun",
    "TaskState",
    "part_of",
    "side_by_side",
]
