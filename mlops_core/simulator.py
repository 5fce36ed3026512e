"""A whole delivery in memory, to learn, demonstrate and test the flow without an engine.

Nothing here stores, trains or deploys: the feature store is a dict, the model one number, the registry's
entry a dict and the deployment a sentence. It is a deterministic simulator: the same rows give the same
result, but for the times in `ingested_at` and `version`. Everything is returned as plain dicts. The
pipeline runs on the real `PipelineDAG`.

=============  =======================================================================================
store          ``{entity id: {the row's own fields, "ingested_at"}}``
model          ``{"parameters": {"slope"}, "metrics": {"validation_accuracy"}, "rows"}``
entry          ``{"name", "version", "stage", "parameters", "metrics"}``
deployment     ``{"status", "environment", "reason", "name", "version"}``; status is ``success``,
               ``skipped`` or ``failed``, and environment is None unless something was deployed
=============  =======================================================================================
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from numbers import Real
from statistics import fmean
from threading import Lock
from typing import Any

from mlops_core.dag.graph import PipelineDAG
from mlops_core.dag.task import Context, Task
from mlops_core.errors import DataError

__all__ = [
    "build_mlops_pipeline",
    "github_actions_deploy",
    "register_model",
    "run_pipeline",
    "train_model_from_store",
    "upsert_feature_store",
]

Row = Mapping[str, Any]
Record = dict[str, Any]

DEPLOYABLE_STAGE = "Staging"
ACCURACY_FLOOR = 0.85


def _utc_now() -> datetime:
    return datetime.now(UTC)


class VersionClock:
    """Versions from the UTC time in microseconds, each later than the one before, in any thread.

    The time alone would repeat itself: two calls within a microsecond, or a clock set back.
    """

    def __init__(self, *, now: Callable[[], datetime] = _utc_now) -> None:
        self._now = now
        self._lock = Lock()
        self._last = datetime.min.replace(tzinfo=UTC)

    def next(self) -> str:
        """The next version, such as `20260131T235959000001Z`."""
        with self._lock:
            self._last = max(self._now(), self._last + timedelta(microseconds=1))
            return self._last.strftime("%Y%m%dT%H%M%S%fZ")


# State of the module, against the house rule: "never twice the same" has to hold for the whole process.
_versions = VersionClock()


def upsert_feature_store(rows: Iterable[Row]) -> dict[str, Record]:
    """The rows by `str(entity_id)`; of several for one entity, the last wins.

    Each is copied and stamped with `ingested_at`, the UTC time as ISO 8601 to the second. Raises
    `DataError` (a `ValueError`) for a row without `entity_id` or with a `feature_value` that is not a
    finite number, naming the row (counted from 0); then nothing is stored.
    """
    stamp = datetime.now(UTC).isoformat(timespec="seconds")
    store: dict[str, Record] = {}
    for number, row in enumerate(rows):
        where = f"row {number} (counted from 0)"
        if not isinstance(row, Mapping):
            raise DataError(
                f"{where} is a {type(row).__name__}; give a mapping with entity_id and feature_value"
            )
        key = _entity_key(row, where)
        _feature_value(row, where)
        store[key] = {**row, "ingested_at": stamp}
    return store


def train_model_from_store(store: Mapping[str, Row]) -> Record:
    """The "model" of the store's mean `feature_value`; a row without one counts as 0.0.

    Raises `DataError` (a `ValueError`) for an empty store and for a value that is not a finite number.
    """
    if not store:
        raise DataError("the feature store is empty; ingest at least one row before training")
    try:
        mean = fmean(_feature_value(row, f"entity {key!r}") for key, row in store.items())
    except OverflowError:
        raise DataError("the feature values are too large for their mean; scale them down") from None
    return {
        "parameters": {"slope": mean / (1 + abs(mean))},
        "metrics": {"validation_accuracy": 0.8 + mean % 0.2},
        "rows": len(store),
    }


def register_model(model: Row, *, name: str, stage: str) -> Record:
    """A registry entry for the model, under a version that this process has not given before.

    Versions are UTC times to the microsecond and sort by age. Raises `KeyError` for a model without
    metrics, which nobody could judge.
    """
    if not model.get("metrics"):
        raise KeyError(f"model {name!r} has no 'metrics'; register what train_model_from_store returned")
    return {
        "name": name,
        "version": _versions.next(),
        "stage": stage,
        "parameters": dict(model.get("parameters", {})),
        "metrics": dict(model["metrics"]),
    }


def github_actions_deploy(entry: Row) -> Record:
    """What a delivery job would have done with the entry: deploys when it is staged and accurate enough.

    Skipped unless the stage is `Staging`, failed when the validation accuracy is under 0.85 (or not a
    number), else a success in production. Raises `KeyError` for a staged entry without that metric.
    """
    stage = entry["stage"]
    if stage != DEPLOYABLE_STAGE:
        return _deployment(entry, "skipped", f"stage is {stage!r}, only {DEPLOYABLE_STAGE!r} is deployed")
    if "validation_accuracy" not in entry["metrics"]:
        raise KeyError(f"entry {entry.get('name')!r} has no metric 'validation_accuracy' to deploy by")
    accuracy = entry["metrics"]["validation_accuracy"]
    if not accuracy >= ACCURACY_FLOOR:  # "<" would let NaN through
        return _deployment(entry, "failed", f"validation accuracy {accuracy!r} is under {ACCURACY_FLOOR}")
    reason = f"validation accuracy {accuracy!r} reaches {ACCURACY_FLOOR}"
    return _deployment(entry, "success", reason, environment="production")


def build_mlops_pipeline(raw_rows: Iterable[Row]) -> PipelineDAG:
    """The four stages as a DAG; its `base_context` holds a list of the rows as `raw_rows`."""

    def register(context: Context) -> Record:
        return register_model(context["model_training"], name="churn_model", stage=DEPLOYABLE_STAGE)

    return PipelineDAG(
        [
            Task("feature_store", lambda context: upsert_feature_store(context["raw_rows"])),
            Task(
                "model_training",
                lambda context: train_model_from_store(context["feature_store"]),
                upstream=("feature_store",),
            ),
            Task("model_registry", register, upstream=("model_training",)),
            Task(
                "deployment",
                lambda context: github_actions_deploy(context["model_registry"]),
                upstream=("model_registry",),
            ),
        ],
        base_context={"raw_rows": list(raw_rows)},
    )


def run_pipeline(raw_rows: Iterable[Row]) -> Context:
    """Runs the four stages and returns the context with each one's result and `execution_order`.

    Raises what a stage raised, itself, with a note that names its task: `DataError` (a `ValueError`) for
    rows that cannot be used and for no rows at all.
    """
    pipeline = build_mlops_pipeline(raw_rows)
    context = dict(pipeline.base_context)
    for error in pipeline.run(context).errors.values():
        raise error
    return context


def _entity_key(row: Row, where: str) -> str:
    entity = row.get("entity_id")
    missing = entity is None or (isinstance(entity, float) and math.isnan(entity))
    key = "" if missing else str(entity)
    if not key.strip():
        came = repr(entity) if "entity_id" in row else "no such key"
        raise DataError(f"{where} needs an entity_id, but has {came}; name the entity or drop the row")
    return key


def _feature_value(row: Row, where: str) -> float:
    value = row.get("feature_value", 0.0)
    if isinstance(value, Real) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if math.isfinite(number):
            return number
        came = f"{number} ({type(value).__name__})"
    else:
        came = f"{value!r:.80} ({type(value).__name__})"
    raise DataError(
        f"{where} has the feature_value {came}; give a finite int or float, or leave the key out for 0.0"
    )


def _deployment(entry: Row, status: str, reason: str, *, environment: str | None = None) -> Record:
    return {
        "status": status,
        "environment": environment,
        "reason": reason,
        "name": entry.get("name"),
        "version": entry.get("version"),
    }
