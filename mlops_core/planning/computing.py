"""What is foreseen of the stages that compute: from the expected sample to the evaluation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mlops_core.domain.digest import digest_of
from mlops_core.domain.online import ExpectedValues
from mlops_core.domain.receipts import (
    EvaluationReceipt,
    ModelTrainingReceipt,
    Ref,
    Split,
    TrainingSetReceipt,
)
from mlops_core.domain.time import close_of_day
from mlops_core.errors import MlopsError
from mlops_core.planning.unknown import INSTANT
from mlops_core.stages import feature_verification, model_evaluation, model_training, training_set
from mlops_core.stages.feature_store import STAGE as STORE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_core.domain.candidates import AnyCandidate
    from mlops_core.domain.receipts import FeatureStoreReceipt
    from mlops_core.planning.foreseen import Foreseen, Outlook

__all__ = [
    "foreseen_evaluation",
    "foreseen_training",
    "foreseen_training_set",
    "foreseen_verification",
]

_NO_ROWS = Split(snapshots=(), rows=0)


def foreseen_verification(outlook: Outlook, events: FeatureStoreReceipt) -> Foreseen[ExpectedValues]:
    """By the sample that it compares with: the online store itself is asked in every run.

    It is asked here only where a later state of it would keep the run from comparing at all.
    """
    inputs = feature_verification.feature_verification_inputs(
        outlook.use_case, events, engines=outlook.engines
    )
    found = outlook.keyed(inputs, ExpectedValues, lambda: ExpectedValues(keys=(), values={}))
    if found.status == "reuse":
        return replace(found, why="the sample is kept; online values are compared with it in every run")
    return _unless_later(outlook, events, found)


def _unless_later(
    outlook: Outlook, events: FeatureStoreReceipt, found: Foreseen[ExpectedValues]
) -> Foreseen[ExpectedValues]:
    try:
        state = outlook.engines.online.state(outlook.use_case.online_name)
    except MlopsError as error:
        return replace(found, why=f"{found.why or 'runs'}, if the online store answers: {error}")
    latest = events.as_of  # that the run may know
    if events.as_of == INSTANT and outlook.as_of is not None:
        latest = close_of_day(outlook.as_of)
    if state is None or (events.as_of != INSTANT and state.as_of <= latest):
        return found
    stand = f"{state.as_of:%Y-%m-%d}"
    if state.as_of > latest:
        why = f"nothing is compared: online values stand as of {stand}, which this run does not know"
        return replace(found, status="reuse", why=why, after=())
    why = f"{found.why} or" if found.why else "runs unless"
    why = f"{why} the events end before {stand}, where online values stand"
    return replace(found, status="depends", why=why, after=(STORE,))


def foreseen_training_set(outlook: Outlook, events: FeatureStoreReceipt) -> Foreseen[TrainingSetReceipt]:
    """Raises `DataError` when history is known to be too short."""
    stage, unknown = training_set.STAGE, outlook.unknown
    inputs = training_set.training_set_inputs(outlook.use_case, events, engines=outlook.engines)

    def expected() -> TrainingSetReceipt:
        if events.as_of != INSTANT:
            training_set.snapshots_of(outlook.use_case, events)
        return TrainingSetReceipt(
            ref=Ref(uri="", digest=unknown.mark(stage)),
            feature_names=outlook.use_case.feature_names,
            fit=_NO_ROWS,
            embargo=_NO_ROWS,
            validation=_NO_ROWS,
            evaluation=_NO_ROWS,
        )

    return outlook.keyed(inputs, TrainingSetReceipt, expected)


def foreseen_training(
    outlook: Outlook, candidate: AnyCandidate, rows: TrainingSetReceipt
) -> Foreseen[ModelTrainingReceipt]:
    """One candidate."""
    inputs = model_training.model_training_inputs(outlook.use_case, candidate, rows, engines=outlook.engines)

    def expected() -> ModelTrainingReceipt:
        ref = Ref(uri="", digest=outlook.unknown.mark(inputs.stage))
        receipt = ModelTrainingReceipt(candidate=candidate.name, ref=ref, metrics={})
        outlook.unknown.also(digest_of(receipt), inputs.stage)
        return receipt

    return outlook.keyed(inputs, ModelTrainingReceipt, expected)


def foreseen_evaluation(
    outlook: Outlook, rows: TrainingSetReceipt, trained: Sequence[ModelTrainingReceipt]
) -> Foreseen[EvaluationReceipt]:
    """Which model it chooses is known once all are trained, before it measures."""
    use_case, unknown = outlook.use_case, outlook.unknown
    inputs = model_evaluation.model_evaluation_inputs(use_case, rows, trained, engines=outlook.engines)
    all_known = not any(unknown.maker(one.ref.digest) for one in trained)
    best = model_evaluation.choose(trained, use_case.gate.metric) if all_known else None

    def expected() -> EvaluationReceipt:
        mark = unknown.mark(model_evaluation.STAGE)
        receipt = EvaluationReceipt(
            candidate=best.candidate if best else trained[0].candidate,
            model=best.ref if best else Ref(uri="", digest=mark),
            ref=Ref(uri="", digest=mark),
            rows=0,
            metrics={},
            validation={},
        )
        unknown.also(digest_of(receipt), model_evaluation.STAGE)
        return receipt

    return outlook.keyed(inputs, EvaluationReceipt, expected)
