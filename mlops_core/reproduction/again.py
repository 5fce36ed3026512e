"""What a version is made of, made again by the same stages as in a run."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from mlops_core.domain.receipts import EvaluationReceipt
from mlops_core.errors import DataError, NotFound
from mlops_core.stages.model_registry import model_registry_inputs
from mlops_core.stages.model_training import ENVIRONMENT, model_training
from mlops_core.stages.training_set import training_set

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_core.domain.candidates import AnyCandidate
    from mlops_core.domain.receipts import ModelTrainingReceipt, TrainingSetReceipt
    from mlops_core.domain.registry import ModelVersion
    from mlops_core.domain.usecase import UseCase
    from mlops_core.ports import FittedModel
    from mlops_core.reproduction.apart import Apart
    from mlops_core.reproduction.events import PastEvents

__all__ = ["Again"]

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Again:
    """What was made again."""

    use_case: UseCase
    candidate: AnyCandidate
    rows: TrainingSetReceipt
    trained: ModelTrainingReceipt
    engines: Apart

    @classmethod
    def of(
        cls,
        version: ModelVersion,
        use_case: UseCase,
        candidate: AnyCandidate,
        past: PastEvents,
        engines: Apart,
    ) -> Self:
        """Make the training set of the events in `past`, and fit. Raises `NotFound` where they do not do."""
        began = time.perf_counter()
        rows = _rows(version, use_case, past, engines)
        _LOG.info("training_set: made again in %.1f s", time.perf_counter() - began)
        began = time.perf_counter()
        trained = model_training(use_case, candidate, rows, engines=engines)
        _LOG.info("model_training.%s: fitted again in %.1f s", candidate.name, time.perf_counter() - began)
        return cls(use_case, candidate, rows, trained, engines)

    @property
    def model(self) -> FittedModel:
        """As it loads from the folder that it was saved in."""
        return self.engines.trainer.load(self.engines.workspace.path(self.trained.ref.uri))

    @property
    def file(self) -> Path:
        """The training set."""
        return self.engines.workspace.path(self.rows.ref.uri)

    @property
    def environment(self) -> dict[str, str]:
        """That of the fit: asked for at the same point as in the run that is repeated."""
        folder = self.engines.workspace.path(self.trained.ref.uri).parent
        found: dict[str, str] = json.loads((folder / ENVIRONMENT).read_bytes())
        return found

    @property
    def version_digest(self) -> str:
        """The digest that a version made of this would be registered under."""
        evaluated = EvaluationReceipt(
            candidate=self.candidate.name,
            model=self.trained.ref,
            ref=self.trained.ref,
            threshold=self.trained.threshold,
            rows=0,  # of the evaluation the digest takes nothing but the model
            metrics={},
            validation={},
        )
        return model_registry_inputs(self.use_case, self.rows, evaluated).data["model"]


def _rows(version: ModelVersion, use_case: UseCase, past: PastEvents, engines: Apart) -> TrainingSetReceipt:
    try:
        return training_set(use_case, past.receipt, engines=engines)
    except DataError as error:
        gone = [one for one in past.read if one.how == "as known"]
        if not gone:
            raise
        names = ", ".join(f"{one.source} {one.digest[:12]}" for one in gone)
        raise NotFound(
            f"the events that {version.name} version {version.number} was trained on are gone ({names}), and "
            f"what is held of them today makes no training set any more: {error} "
            f"{' '.join(f'Note: {note}.' for note in past.notes)}".rstrip()
        ) from error
