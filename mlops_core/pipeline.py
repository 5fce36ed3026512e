"""The only statement of the order of the stages. Runners walk the DAG made here; none has a copy of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from mlops_core.dag import PipelineDAG, RetryPolicy, Task, side_by_side
from mlops_core.domain.time import close_of_day
from mlops_core.errors import BadInput
from mlops_core.journal import unnoted
from mlops_core.stages.approval import approval
from mlops_core.stages.deployment import deployment
from mlops_core.stages.feature_store import brought_in, feature_store, materialised
from mlops_core.stages.feature_verification import feature_verification
from mlops_core.stages.gate import gate
from mlops_core.stages.model_evaluation import model_evaluation
from mlops_core.stages.model_registry import model_registry
from mlops_core.stages.model_training import model_training
from mlops_core.stages.training_set import training_set

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from mlops_core.dag import Context
    from mlops_core.domain.candidates import AnyCandidate
    from mlops_core.domain.history import HistoryVersion
    from mlops_core.domain.sources import Data
    from mlops_core.domain.usecase import UseCase
    from mlops_core.ports import Engines

__all__ = ["WORKERS", "build_backfill", "build_pipeline", "build_refresh"]

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
    stages = _Stages(use_case, engines, data, as_of)
    # No tags: for each set of them Prefect asks its server for concurrency limits, which takes a run from two
    # to four seconds when the server is busy writing (`benchmarks/main_job.py`, running-second).
    task = partial(Task, retry=_PATIENT)
    return PipelineDAG(
        [
            *_refresh(stages),
            *_training(stages),
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


def build_backfill(
    use_case: UseCase, engines: Engines, *, data: Mapping[str, Data], as_of: Iterable[date]
) -> PipelineDAG:
    """What models as of each of these days would have been, judged on what came after: a branch a day.

    Events are brought in once (`events`); each branch goes from features to `<day>.model_evaluation`. None
    registers, decides, releases or serves anything, nor is it noted as what the stages last did: plans and
    estimates are about the runs that deliver. `events` raises `BadInput`, and no day is begun, when the first
    day lies before all events, or several after the last: those would all be the same.
    """
    days = sorted(set(as_of))
    past = {day.isoformat(): _Stages(use_case, engines, data, day) for day in days}
    branches = {
        name: PipelineDAG(
            replace(task, run=_Unnoted(task.run))
            for task in [
                Task("feature_store", stages.feature_store_then, retry=_PATIENT),
                *_training(stages),
            ]
        )
        for name, stages in past.items()
    }
    begin = _Stages(use_case, engines, data, None)
    return side_by_side(
        branches, shared=[Task("events", partial(begin.events_of, tuple(days)), retry=_PATIENT)]
    )


def _training(stages: _Stages) -> list[Task]:
    task = partial(Task, retry=_PATIENT)
    branches = {f"model_training.{one.name}": one for one in stages.use_case.candidates}
    return [
        task("training_set", stages.training_set, ("feature_store",)),
        *(
            task(name, partial(stages.model_training, candidate), ("training_set",))
            for name, candidate in branches.items()
        ),
        task("model_evaluation", stages.model_evaluation, ("training_set", *branches)),
    ]


def _refresh(stages: _Stages) -> list[Task]:
    return [
        Task("feature_store", stages.feature_store, retry=_PATIENT),
        Task("feature_verification", stages.feature_verification, ("feature_store",), retry=_PATIENT),
    ]


def _check_days(days: Sequence[date], events: HistoryVersion) -> None:
    if days and close_of_day(days[0]) < events.first:
        raise BadInput(
            f"--first: as of {days[0]} there are no events yet: begin on {events.first:%Y-%m-%d} or later"
        )
    late = [day for day in days if close_of_day(day) >= events.last]
    if len(late) > 1:
        raise BadInput(
            f"--last: the last event is of {events.last:%Y-%m-%d}, so {late[1]} and days after it would be "
            f"as {late[0]} is: end on that day"
        )


@dataclass(frozen=True)
class _Unnoted:
    """A stage that leaves no note in the journal. It can be pickled."""

    run: Callable[[Context], Any]

    def __call__(self, context: Context) -> Any:
        with unnoted():
            return self.run(context)


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
        self.use_case, self._engines, self._data, self._as_of = use_case, engines, data, as_of
        self._quarantine = quarantine

    def feature_store(self, context: Context) -> object:  # noqa: ARG002 - the first stage reads no receipt
        return feature_store(
            self.use_case, self._data, self._as_of, engines=self._engines, quarantine=self._quarantine
        )

    def events_of(self, days: Sequence[date], context: Context) -> object:  # noqa: ARG002 - it is the first
        versions = brought_in(self.use_case, self._data, engines=self._engines)
        _check_days(days, versions[self.use_case.label.source])
        return versions

    def feature_store_then(self, context: Context) -> object:
        return materialised(self.use_case, context["events"], self._as_of, engines=self._engines, serve=False)

    def feature_verification(self, context: Context) -> object:
        return feature_verification(self.use_case, context["feature_store"], engines=self._engines)

    def training_set(self, context: Context) -> object:
        return training_set(self.use_case, context["feature_store"], engines=self._engines)

    def model_training(self, candidate: AnyCandidate, context: Context) -> object:
        return model_training(self.use_case, candidate, context["training_set"], engines=self._engines)

    def model_evaluation(self, context: Context) -> object:
        trained = [context[f"model_training.{candidate.name}"] for candidate in self.use_case.candidates]
        return model_evaluation(self.use_case, context["training_set"], trained, engines=self._engines)

    def model_registry(self, context: Context) -> object:
        names = ("feature_store", "training_set", "model_evaluation")
        return model_registry(self.use_case, *(context[name] for name in names), engines=self._engines)

    def gate(self, context: Context) -> object:
        names = ("feature_store", "training_set", "model_evaluation", "model_registry")
        return gate(self.use_case, *(context[name] for name in names), engines=self._engines)

    def approval(self, context: Context) -> object:
        return approval(context["model_registry"], context["gate"], engines=self._engines)

    def deployment(self, context: Context) -> object:
        names = ("model_registry", "gate", "approval")
        return deployment(self.use_case, *(context[name] for name in names), engines=self._engines)
