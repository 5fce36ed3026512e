"""Choose a candidate by validation and judge it on the evaluation snapshot, which nothing has looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_core.domain.digest import digest_of, digest_table
from mlops_core.domain.inputs import Inputs
from mlops_core.domain.metrics import MEASURED, greater_is_better
from mlops_core.domain.receipts import EvaluationReceipt, Ref
from mlops_core.domain.release import Probes
from mlops_core.domain.report import ReportContent
from mlops_core.errors import DataError
from mlops_core.progress import tell, within
from mlops_core.provenance import libraries
from mlops_core.stages.matrix import label_vector, matrix, read_splits

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from mlops_core.domain.receipts import ModelTrainingReceipt, TrainingSetReceipt
    from mlops_core.domain.usecase import UseCase
    from mlops_core.ports import Engines

__all__ = [
    "DOCUMENTS",
    "PREDICTIONS",
    "PROBES",
    "PROFILE",
    "REPORT",
    "STAGE",
    "model_evaluation",
    "model_evaluation_inputs",
]

STAGE = "model_evaluation"
REPORT = "report.html"
DOCUMENTS = (REPORT, "evaluation.json", "figures.json")
"""What goes with the model wherever it goes."""

PREDICTIONS = "predictions.parquet"
PROBES = "probes.json"
PROFILE = "profile.json"

_PROBES = 32  # rows, spread over the evaluation snapshot


def model_evaluation(
    use_case: UseCase,
    rows: TrainingSetReceipt,
    trained: Sequence[ModelTrainingReceipt],
    *,
    engines: Engines,
) -> EvaluationReceipt:
    """Pick the best of `trained` by the gate's metric on validation; measure and report it on evaluation.

    Raises `DataError` when no candidate has a finite validation metric.
    """
    workspace = engines.workspace
    best = choose(trained, use_case.gate.metric)
    policy = use_case.gate
    inputs = model_evaluation_inputs(use_case, rows, trained, engines=engines)

    def make(folder: Path) -> EvaluationReceipt:
        import numpy as np
        import pyarrow.parquet as pq

        from mlops_core.metrics import importances, intervals, profile_of

        table = read_splits(workspace.path(rows.ref.uri), "evaluation")
        features, labels = matrix(table, rows.feature_names), label_vector(table, use_case.label.name)
        tell(f"scoring {len(labels):,} rows by {len(trained)} candidates", 0.05)
        models = {one.candidate: engines.trainer.load(workspace.path(one.ref.uri)) for one in trained}
        scores = {name: model.predict(features) for name, model in models.items()}
        chosen = scores[best.candidate]
        predictions = _predictions(use_case, table, chosen)
        with within(0.2, 0.6):
            figures = intervals(
                labels,
                chosen,
                best.threshold or 0.5,
                confidence=policy.confidence,
                more=(*MEASURED[use_case.task], *policy.metrics),
                task=use_case.task,
            )
        receipt = EvaluationReceipt(
            candidate=best.candidate,
            model=best.ref,
            ref=Ref(uri=workspace.placed(inputs, ""), digest=digest_table(predictions)),
            threshold=best.threshold,
            rows=len(labels),
            positives=int(labels.sum()) if use_case.task == "classification" else None,
            metrics=figures,
            validation={one.candidate: one.metrics for one in trained},
        )
        with within(0.6, 0.85):
            weighed_by = "roc_auc" if use_case.task == "classification" else "r2"
            weights = importances(
                models[best.candidate], features, labels, rows.feature_names, metric=weighed_by
            )
        content = ReportContent(
            title=f"{use_case.name}: {best.candidate}",
            chosen=best.candidate,
            threshold=best.threshold,
            labels=labels.astype(np.float64),
            scores=scores,
            metrics=receipt.metrics,
            validation=receipt.validation,
            importances=weights,
            importance_metric=weighed_by,
            facts=_facts(use_case, rows, best),
        )
        tell("drawing the report", 0.85)
        engines.reporter.write(content, folder / REPORT)
        (folder / "figures.json").write_text(engines.reporter.figures(content).model_dump_json())
        pq.write_table(predictions, folder / PREDICTIONS)
        tell("profiling the training rows", 0.95)
        training = read_splits(workspace.path(rows.ref.uri), "fit", "embargo", "validation")
        profile = profile_of(training.select(list(rows.feature_names)))
        (folder / PROFILE).write_text(profile.model_dump_json())
        (folder / PROBES).write_text(_probes(features, chosen).model_dump_json())
        (folder / "evaluation.json").write_text(receipt.model_dump_json(indent=1))
        return receipt

    return workspace.produce(inputs, EvaluationReceipt, make)


def model_evaluation_inputs(
    use_case: UseCase,
    rows: TrainingSetReceipt,
    trained: Sequence[ModelTrainingReceipt],
    *,
    engines: Engines,
) -> Inputs:
    """What decides the evaluation: the rows, the models and how they are to be measured."""
    policy = use_case.gate
    return Inputs(
        stage=STAGE,
        use_case=use_case.name,
        data={"training_set": rows.ref.digest} | {one.candidate: digest_of(one) for one in trained},
        definitions={
            "metrics": list(policy.metrics),
            "confidence": policy.confidence,
            "label": use_case.label.model_dump(mode="json"),
        },
        code=dict(engines.code.parts(STAGE)),
        libraries=libraries(),
    )


def _probes(features: NDArray[np.float64], scores: NDArray[np.float64]) -> Probes:
    """Rows with what the model said when it was trained: how a loaded model shows that it is the same."""
    import numpy as np

    picked = np.unique(np.linspace(0, len(scores) - 1, _PROBES).astype(int))
    size = max(1.0, float(np.abs(scores[picked]).max()))  # of numbers, a difference is as great as they are
    return Probes(
        tolerance=1e-9 * size,
        rows=tuple(tuple(None if np.isnan(x) else float(x) for x in row) for row in features[picked]),
        expected=tuple(float(score) for score in scores[picked]),
    )


def choose(trained: Sequence[ModelTrainingReceipt], metric: str) -> ModelTrainingReceipt:
    """The candidate with the best validation metric; the first of those that tie."""
    sign = 1 if greater_is_better(metric) else -1
    able = [one for one in trained if metric in one.metrics]
    if not able:
        raise DataError(
            f"no candidate has a {metric} on the validation snapshot: {[one.candidate for one in trained]}"
        )
    return max(able, key=lambda one: sign * one.metrics[metric])


def _predictions(use_case: UseCase, table: pa.Table, scores: NDArray[np.float64]) -> pa.Table:
    import pyarrow as pa

    keys = {key: table[key] for key in use_case.entity.keys}
    return pa.table({**keys, "label": table[use_case.label.name], "score": pa.array(scores)})


def _facts(use_case: UseCase, rows: TrainingSetReceipt, best: ModelTrainingReceipt) -> list[tuple[str, str]]:
    training = rows.training
    count = rows.fit.rows + rows.embargo.rows + rows.validation.rows
    judged = rows.evaluation
    positive = "" if judged.positives is None else f", {judged.positives:,} positive"
    return [
        ("Use case", use_case.name),
        ("Label", f"{use_case.label.name}: {use_case.label.meaning}"),
        ("Trained on", f"{count:,} rows, {len(training)} snapshots, {_days(training)}"),
        ("Chosen on", f"{rows.validation.rows:,} rows of {_days(rows.validation.snapshots)}"),
        ("Judged on", f"{judged.rows:,} rows of {_days(judged.snapshots)}{positive}"),
        ("Features", ", ".join(rows.feature_names)),
        ("Training set digest", rows.ref.digest),
        ("Model digest", best.ref.digest),
    ]


def _days(instants: Sequence[object]) -> str:
    first, last = f"{instants[0]:%Y-%m-%d}", f"{instants[-1]:%Y-%m-%d}"
    return first if first == last else f"{first} to {last}"
