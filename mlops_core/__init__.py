"""Delivers models on tabular, time-stamped data. Light to import: engines are loaded when they are used.

Here are the DAG and the stage stubs; what a use case is written with is in `mlops_core.definitions`.
"""

from mlops_core.dag import Hooks, PipelineDAG, RetryPolicy, RunReport, Task, TaskRun, TaskState
from mlops_core.errors import (
    BadInput,
    Conflict,
    DataError,
    DefinitionError,
    GraphError,
    IntegrityError,
    MlopsError,
    NotFound,
    Superseded,
    TaskFailed,
    TaskTimedOut,
    Unavailable,
)
from mlops_core.simulator import (
    build_mlops_pipeline,
    github_actions_deploy,
    register_model,
    run_pipeline,
    train_model_from_store,
    upsert_feature_store,
)

__all__ = [
    "BadInput",
    "Conflict",
    "DataError",
    "DefinitionError",
    "GraphError",
    "Hooks",
    "IntegrityError",
    "MlopsError",
    "NotFound",
    "PipelineDAG",
    "RetryPolicy",
    "RunReport",
    "Superseded",
    "Task",
    "TaskFailed",
    "TaskRun",
    "TaskState",
    "TaskTimedOut",
    "Unavailable",
    "build_mlops_pipeline",
    "github_actions_deploy",
    "register_model",
    "run_pipeline",
    "train_model_from_store",
    "upsert_feature_store",
]
