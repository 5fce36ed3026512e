"""Champion and challenger on the same rows: what the gate's checks look at."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from mlops_core.domain.metrics import task_of
from mlops_core.domain.usecase import UseCase
from mlops_core.errors import MlopsError
from mlops_core.point_in_time import historical_features
from mlops_core.stages.matrix import label_vector, matrix, read_splits

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from mlops_core.checks import Champion, Judged, Predictions
    from mlops_core.domain.receipts import EvaluationReceipt, FeatureStoreReceipt, TrainingSetReceipt
    from mlops_core.domain.registry import ModelVersion
    from mlops_core.ports import Engines, FittedModel

__all__ = ["judged_against"]

_CALLS = 101  # of one row each, for the median


def judged_against(
    use_case: UseCase,
    events: FeatureStoreReceipt,
    rows: TrainingSetReceipt,
    evaluation: EvaluationReceipt,
    champion: ModelVersion | None,
    *,
    engines: Engines,
) -> Judged:
    """The challenger of `evaluation` beside the version in Production, if there is one.

    The champion scores the evaluation rows by its own definitions of its features, which are computed anew
    where they differ from the challenger's. One that cannot be loaded or fed is said to be an obstacle:
    nobody is dethroned unseen.
    """
    import numpy as np

    from mlops_core.checks import Judged

    workspace = engines.workspace
    table = read_splits(workspace.path(rows.ref.uri), "evaluation")
    training = read_splits(workspace.path(rows.ref.uri), "fit", "embargo", "validation")
    folder = workspace.path(evaluation.model.uri)
    model, inputs = engines.trainer.load(folder), matrix(table, rows.feature_names)
    return Judged(
        task=use_case.task,
        truth=label_vector(table, use_case.label.name).astype(np.float64),
        challenger=_predictions(model.predict(inputs), evaluation.threshold),
        champion=None if champion is None else _champion(use_case, champion, table, events, engines),
        rows=table.select(list(rows.feature_names)),
        training=training.select(list(rows.feature_names)),
        intervals=evaluation.metrics,
        latency_ms=_latency(model, inputs),
        size_mb=sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6,
    )


def _champion(
    use_case: UseCase, version: ModelVersion, table: pa.Table, events: FeatureStoreReceipt, engines: Engines
) -> Champion:
    from mlops_core.checks import Champion

    try:
        with engines.workspace.scratch() as folder:
            engines.registry.fetch(version, folder)
            model = engines.trainer.load(folder)
        scores = model.predict(_inputs(use_case, version, table, events, engines))
    except MlopsError as error:
        return Champion(number=version.number, profile=version.profile, obstacle=str(error))
    if task_of(version.threshold) != use_case.task:
        obstacle = f"it is a model for {task_of(version.threshold)}, this one for {use_case.task}"
        return Champion(number=version.number, profile=version.profile, obstacle=obstacle)
    predictions = _predictions(scores, version.threshold)
    return Champion(number=version.number, profile=version.profile, predictions=predictions)


def _predictions(scores: NDArray[np.float64], threshold: float | None) -> Predictions:
    from mlops_core.checks import Predictions

    return (
        Predictions(scores=scores) if threshold is None else Predictions(scores=scores, threshold=threshold)
    )


def _inputs(
    use_case: UseCase, champion: ModelVersion, table: pa.Table, events: FeatureStoreReceipt, engines: Engines
) -> NDArray[np.float64]:
    theirs = UseCase.stored(champion.use_case, f"version {champion.number} of {champion.name}")
    if theirs.features_digest != use_case.features_digest:
        files = {name: engines.workspace.path(log.ref.uri) for name, log in events.events.items()}
        spine = table.select([*theirs.entity.keys, "event_timestamp"])
        table = historical_features(theirs, engines.offline, files, spine, as_known_at=events.as_known_at)
    return matrix(table, theirs.feature_names)


def _latency(model: FittedModel, inputs: NDArray[np.float64]) -> float:
    """Median milliseconds of a prediction of one row."""
    import numpy as np

    seconds = []
    for number in range(_CALLS):
        row = inputs[number % len(inputs)][None, :]
        begun = time.perf_counter()
        model.predict(row)
        seconds.append(time.perf_counter() - begun)
    return float(np.median(seconds)) * 1000
