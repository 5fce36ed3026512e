"""Champion against challenger, on the same rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_core.domain.gates import Check
from mlops_core.domain.metrics import greater_is_better
from mlops_core.domain.usecase import UseCase
from mlops_core.errors import MlopsError
from mlops_core.point_in_time import historical_features
from mlops_core.stages.matrix import label_vector, matrix, read_splits

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from mlops_core.domain.receipts import EvaluationReceipt, FeatureStoreReceipt, TrainingSetReceipt
    from mlops_core.domain.registry import ModelVersion
    from mlops_core.ports import Engines

__all__ = ["compare"]


def compare(
    use_case: UseCase,
    events: FeatureStoreReceipt,
    rows: TrainingSetReceipt,
    evaluation: EvaluationReceipt,
    champion: ModelVersion,
    *,
    engines: Engines,
) -> Check:
    """Passed when the challenger is not worse than the champion by more than the policy's tolerance.

    The champion scores the evaluation rows by its own definitions of its features, which are computed anew
    where they differ from the challenger's. A champion that cannot be loaded or fed fails the check: nobody
    is dethroned unseen.
    """
    from mlops_core.metrics import paired_difference

    policy, workspace, trainer = use_case.gate, engines.workspace, engines.trainer
    table = read_splits(workspace.path(rows.ref.uri), "evaluation")
    labels = label_vector(table, use_case.label.name)
    try:
        with workspace.scratch() as folder:
            engines.registry.fetch(champion, folder)
            model = trainer.load(folder)
        theirs = model.predict(_inputs(use_case, champion, table, events, engines))
        challenger = trainer.load(workspace.path(evaluation.model.uri))
        mine = challenger.predict(matrix(table, rows.feature_names))
        gain = paired_difference(
            policy.metric,
            labels,
            mine,
            theirs,
            thresholds=(evaluation.threshold, champion.threshold),
            confidence=policy.confidence,
        )
    except MlopsError as error:
        sentence = f"version {champion.number} in Production cannot be compared with: {error}"
        return Check(name="champion", outcome="failed", sentence=sentence)
    sign = 1 if greater_is_better(policy.metric) else -1
    worst = gain.low if sign > 0 else -gain.high
    good = worst >= -policy.tolerance
    sentence = (
        f"{policy.metric} differs by {gain.value:+.4f} from version {champion.number} in Production, "
        f"{gain.low:+.4f} to {gain.high:+.4f} at {policy.confidence:.0%} confidence on the same "
        f"{len(labels):,} rows: {'not worse' if good else 'perhaps worse'} by more than {policy.tolerance:g}"
    )
    figures = {"difference": gain.value, "low": gain.low, "high": gain.high, "tolerance": policy.tolerance}
    return Check(name="champion", outcome="passed" if good else "failed", sentence=sentence, figures=figures)


def _inputs(
    use_case: UseCase,
    champion: ModelVersion,
    table: pa.Table,
    events: FeatureStoreReceipt,
    engines: Engines,
) -> NDArray[np.float64]:
    theirs = UseCase.model_validate_json(champion.use_case)
    if theirs.features_digest != use_case.features_digest:
        files = {name: engines.workspace.path(log.ref.uri) for name, log in events.events.items()}
        spine = table.select([*theirs.entity.keys, "event_timestamp"])
        table = historical_features(theirs, engines.offline, files, spine, as_known_at=events.as_known_at)
    return matrix(table, theirs.feature_names)
