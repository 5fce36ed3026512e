"""The only statement of the order of the stages. Runners walk the DAG made here; none has a copy of it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from mlops_core.dag import PipelineDAG, RetryPolicy, Task
from mlops_core.stages.approval import approval
from mlops_core.stages.deployment import deployment
from mlops_core.stages.feature_store import feature_store
from mlops_core.stages.feature_verification import feature_verification
from mlops_core.stages.gate import gate
from mlops_core.stages.model_evaluation import model_evaluation
from mlops_core.stages.model_registry import model_registry
from mlops_core.stages.model_training import model_training
from mlops_core.stages.training_set import training_set

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from pathlib import Path

    from mlops_core.dag import Context
    from mlops_core.domain.candidates import AnyCandidate
    from mlops_core.domain.sources import Data
    from mlops_core.domain.usecase import UseCase
    from mlops_core.ports import Engines

__all__ = ["WORKERS", "build_pipeline", "build_refresh"]

# An engine that is busy or out of reach is tried again; bad input never is (see RetryPolicy).
_PATIENT = RetryPolicy(attempts=4, delay_seconds=1.0, backoff=2.0, jitter=0.2)
WORKERS = 4
"""Tasks that a runner lets run at the same time: the candidates of a use case, mostly."""


def build_pipeline(
    use_case: UseCase, engines: Engines, *, data: Mapping[str, Data], as_of: date | None = None
) -> PipelineDAG:
    """The stages of one delivery as a DAG; each task returns its receipt.

    `data` are the events by source name; `as_of` is the last day the run may know of (None: all days).
    Candidates are independent branches, named `model_training.<candidate>`.
    """
    branches = [f"model_training.{candidate.name}" for candidate in use_case.candidates]
    stages = _Stages(use_case, engines, data, as_of)
    # No tags: for each set of them Prefect asks its server for concurrency limits, which takes a run from two
    # to four seconds when the server is busy writing (`benchmarks/main_job.py`, running-second).
    task = partial(Task, retry=_PATIENT)
    return PipelineDAG(
        [
            *_refresh(stages),
            task("training_set", stages.training_set, ("feature_store",)),
            *(
                task(name, partial(stages.model_training, candidate), ("training_set",))
                for name, candidate in zip(branches, use_case.candidates, strict=True)
            ),
            task("model_evaluation", stages.model_evaluation, ("training_set", *branches)),
            task(
                "model_registry",
                stages.model_registry,
                ("feature_store", "training_set", "model_evaluation"),
            ),
            task(
                "gate",
                stages.gate,
                ("feature_store", "training_set", "model_evaluation", "model_registry"),
            ),
            task("approval", stages.approval, ("model_registry", "gate")),
            task(
                "deployment",
                stages.deployment,
                ("feature_verification", "model_registry", "gate", "approval"),
            ),
        ]
    )


def build_refresh(
    use_case: UseCase,
    engines: Engines,
    *,
    data: Mapping[str, Data],
    as_of: date | None = None,
    quarantine: Path | None = None,
) -> PipelineDAG:
    """The feature store alone: the stages that every delivery begins with."""
    return PipelineDAG(_refresh(_Stages(use_case, engines, data, as_of, quarantine)))


def _refresh(stages: _Stages) -> list[Task]:
    return [
        Task("feature_store", stages.feature_store, retry=_PATIENT),
        Task("feature_verification", stages.feature_verification, ("feature_store",), retry=_PATIENT),
    ]


class _Stages:
    """Each stage as a function of the context alone: its inputs by name, the engines bound."""

    def __init__(
        self,
        use_case: UseCase,
        engines: Engines,
        data: Mapping[str, Data],
        as_of: date | None,
        quarantine: Path | None = None,
    ) -> None:
        self._use_case, self._engines, self._data, self._as_of = use_case, engines, data, as_of
        self._quarantine = quarantine

    def feature_store(self, context: Context) -> object:  # noqa: ARG002 - the first stage reads no receipt
        return feature_store(
            self._use_case, self._data, self._as_of, engines=self._engines, quarantine=self._quarantine
        )

    def feature_verification(self, context: Context) -> object:
        return feature_verification(self._use_case, context["feature_store"], engines=self._engines)

    def training_set(self, context: Context) -> object:
        return training_set(self._use_case, context["feature_store"], engines=self._engines)

    def model_training(self, candidate: AnyCandidate, context: Context) -> object:
        return model_training(self._use_case, candidate, context["training_set"], engines=self._engines)

    def model_evaluation(self, context: Context) -> object:
        trained = [context[f"model_training.{candidate.name}"] for candidate in self._use_case.candidates]
        return model_evaluation(self._use_case, context["training_set"], trained, engines=self._engines)

    def model_registry(self, context: Context) -> object:
        names = ("feature_store", "training_set", "model_evaluation")
        return model_registry(self._use_case, *(context[name] for name in names), engines=self._engines)

    def gate(self, context: Context) -> object:
        names = ("feature_store", "training_set", "model_evaluation", "model_registry")
        return gate(self._use_case, *(context[name] for name in names), engines=self._engines)

    def approval(self, context: Context) -> object:
        return approval(context["model_registry"], context["gate"], engines=self._engines)

    def deployment(self, context: Context) -> object:
        names = ("model_registry", "gate", "approval")
        return deployment(self._use_case, *(context[name] for name in names), engines=self._engines)
