"""Train one candidate: how well its specification does on validation, and the model to deliver."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

from mlops_core.domain.inputs import Inputs
from mlops_core.domain.receipts import ModelTrainingReceipt, Ref
from mlops_core.progress import tell
from mlops_core.provenance import libraries
from mlops_core.stages.matrix import label_vector, matrix, read_splits

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_core.domain.candidates import AnyCandidate
    from mlops_core.domain.receipts import TrainingSetReceipt
    from mlops_core.domain.usecase import UseCase
    from mlops_core.ports import ComputingEngines

__all__ = ["ENVIRONMENT", "STAGE", "model_training", "model_training_inputs"]

STAGE = "model_training"
ENVIRONMENT = "environment.json"


def model_training(
    use_case: UseCase,
    candidate: AnyCandidate,
    rows: TrainingSetReceipt,
    *,
    engines: ComputingEngines,
) -> ModelTrainingReceipt:
    """Fit on the fit rows, judge on validation, then fit again on all training rows.

    The metrics are our own and the one that candidates are chosen by. The second fit is the model that may be
    delivered: it has seen the newest labels there are, while the choice between candidates and the threshold
    rest on rows that no candidate had seen.
    """
    workspace, label = engines.workspace, use_case.label.name
    metric = use_case.gate.metric
    inputs = model_training_inputs(use_case, candidate, rows, engines=engines)

    def make(folder: Path) -> ModelTrainingReceipt:
        from mlops_core.metrics import best_threshold, figure, point_metrics

        trainer = engines.trainer
        table = read_splits(workspace.path(rows.ref.uri), "fit", "embargo", "validation")
        features, labels = matrix(table, rows.feature_names), label_vector(table, label)
        split = table["split"].to_numpy(zero_copy_only=False)
        fit, validation = split == "fit", split == "validation"
        count, all_rows = int(fit.sum()), len(labels)
        tell(f"fitting on {count:,} rows, to be judged on validation", 0.05)
        scores = trainer.fit(candidate, features[fit], labels[fit]).predict(features[validation])
        truth = labels[validation]
        threshold = best_threshold(truth, scores) if use_case.task == "classification" else None
        chosen_by = figure(metric, truth, scores, threshold or 0.5)
        # the time of a fit grows with its rows
        tell(f"fitting on all {all_rows:,} rows", 0.05 + 0.9 * count / (count + all_rows))
        model = trainer.fit(candidate, features, labels)
        tell("saving the model", 0.95)
        (folder / "model").mkdir()
        model.save(folder / "model")
        receipt = ModelTrainingReceipt(
            candidate=candidate.name,
            ref=Ref(uri=workspace.placed(inputs, "model"), digest=model.digest()),
            metrics=point_metrics(truth, scores, threshold)
            | ({metric: chosen_by} if math.isfinite(chosen_by) else {}),
            threshold=threshold,
        )
        (folder / "validation.json").write_text(json.dumps(receipt.metrics, indent=1))
        (folder / ENVIRONMENT).write_text(json.dumps(trainer.environment(), indent=1))
        return receipt

    return workspace.produce(inputs, ModelTrainingReceipt, make)


def model_training_inputs(
    use_case: UseCase, candidate: AnyCandidate, rows: TrainingSetReceipt, *, engines: ComputingEngines
) -> Inputs:
    """What decides the model: the rows, the candidate's specification and what it is chosen by."""
    return Inputs(
        stage=f"{STAGE}.{candidate.name}",
        use_case=use_case.name,
        data={"training_set": rows.ref.digest},
        definitions={
            "candidate": candidate.model_dump(mode="json"),
            "features": list(rows.feature_names),
            "label": use_case.label.name,
            "metric": use_case.gate.metric,
        },
        code=dict(engines.code.parts(STAGE)),
        libraries=libraries(),
    )
