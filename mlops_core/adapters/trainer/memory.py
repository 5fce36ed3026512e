"""A trainer for tests of what is around it: a stub that learns next to nothing, in no time.

It says so: the prediction is a fixed monotone function of the standardised columns' signed mean, shifted to
the share of positives; a column's sign is that of its covariance with the label. Good for an AUC above
chance, and for nothing else. A number is predicted by that mean itself, in standard deviations of the label.
The candidate's settings change its digest but not its predictions.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field, ValidationError

from mlops_core.adapters.trainer.matrix import check_rows, check_training
from mlops_core.domain.candidates import AnyCandidate
from mlops_core.domain.digest import digest_of
from mlops_core.domain.value import Value
from mlops_core.errors import IntegrityError, NotFound

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_core.adapters.trainer.matrix import Labels, Matrix

__all__ = ["MemoryModel", "MemoryTrainer"]

_FILE = "model.json"


class _State(Value):
    candidate: AnyCandidate
    bias: float
    means: tuple[float, ...] = Field(min_length=1)
    slopes: tuple[float, ...]


class MemoryModel:
    """A `FittedModel` of one bias, and a mean and a slope per feature."""

    def __init__(self, state: _State) -> None:
        self._state = state

    def predict(self, rows: Matrix) -> Matrix:
        """See `FittedModel.predict`; a missing value counts as the mean."""
        state = self._state
        check_rows(rows, len(state.means))
        moved = np.where(np.isnan(rows), 0.0, rows - np.array(state.means))
        # Summed feature by feature, so that a row's prediction does not depend on its neighbours.
        logits = sum(
            (moved[:, j] * slope for j, slope in enumerate(state.slopes)), np.full(len(rows), state.bias)
        )
        if state.candidate.task == "regression":
            return np.asarray(logits)
        return np.asarray((1.0 + np.tanh(logits / 2.0)) / 2.0)

    def save(self, folder: Path) -> None:
        """Write `model.json` into a folder."""
        content = {"state": self._state.model_dump(mode="json"), "digest": self.digest()}
        (folder / _FILE).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")

    def digest(self) -> str:
        """See `FittedModel.digest`."""
        return digest_of(self._state)


class MemoryTrainer:
    """A `Trainer` in plain NumPy: a stub, see the module."""

    def fit(self, candidate: AnyCandidate, rows: Matrix, labels: Labels) -> MemoryModel:
        """See `Trainer.fit`; raises `BadInput` or `DataError` as `SklearnTrainer` does."""
        check_training(candidate, rows, labels)
        known = ~np.isnan(rows)
        counts = np.maximum(known.sum(axis=0), 1)
        means = np.where(known, rows, 0.0).sum(axis=0) / counts
        moved = np.where(known, rows - means, 0.0)
        spread = np.sqrt((moved**2).sum(axis=0) / counts)
        share = float(labels.mean())
        signs = np.sign((moved * (labels - share)[:, None]).sum(axis=0))
        slopes = np.divide(signs, spread * rows.shape[1], out=np.zeros_like(spread), where=spread > 0)
        if candidate.task == "regression":
            slopes, bias = slopes * float(labels.std()), share
        else:
            bias = float(np.log(share / (1.0 - share)))
        return MemoryModel(
            _State(candidate=candidate, bias=bias, means=tuple(means.tolist()), slopes=tuple(slopes.tolist()))
        )

    def environment(self) -> dict[str, str]:
        """See `Trainer.environment`: it depends on nothing."""
        return {"trainer": "memory"}

    def load(self, folder: Path) -> MemoryModel:
        """See `Trainer.load`."""
        path = folder / _FILE
        if not path.is_file():
            raise NotFound(f"there is no model in {folder}: {_FILE} is missing")
        try:
            content = json.loads(path.read_bytes())
            model = MemoryModel(_State.model_validate_json(json.dumps(content["state"])))
            saved = content["digest"]
        except (ValueError, LookupError, TypeError, ValidationError) as error:
            raise IntegrityError(f"{path} cannot be read as a model ({error}); fetch it again") from error
        if model.digest() != saved:
            raise IntegrityError(f"{path} holds a model with digest {model.digest()}, but says {saved}")
        return model
