"""Candidates fitted with scikit-learn, kept with skops: no pickle is ever written or read.

**Loading.** What a file would construct is compared with the allow-list below before anything is
constructed, and the digest of what came out with the one that was saved.

**Repeatability.** The same inputs give the same digest in every process on one machine, however many threads
it may use: BLAS sums in another order when it has more than one, so it has one while fitting. Another kind of
processor may run another BLAS kernel, whose last bits differ.

**Threads.** One, unless asked for more: OpenMP's threads wait for each other in busy loops, and beside other
work on the same processors (another candidate being fitted, another request) that costs far more than it
brings: 20 s instead of 2 s for a fit, 10 ms instead of 1 ms for a prediction, measured on two busy cores.
"""

from __future__ import annotations

from importlib.metadata import version
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import skops.io
from sklearn.pipeline import Pipeline
from threadpoolctl import ThreadpoolController

from mlops_core.adapters.trainer.environment import fit_environment
from mlops_core.adapters.trainer.estimators import estimator_for
from mlops_core.adapters.trainer.fitted_state import state_digest
from mlops_core.adapters.trainer.manifest import ModelManifest
from mlops_core.adapters.trainer.matrix import check_rows, check_training
from mlops_core.adapters.trainer.scorer import predicted
from mlops_core.adapters.trainer.trees import check_trees
from mlops_core.domain.candidates import LinearCandidate, Ridge
from mlops_core.errors import DefinitionError, IntegrityError, MlopsError, NotFound, Unavailable

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_core.adapters.trainer.matrix import Labels, Matrix
    from mlops_core.domain.candidates import AnyCandidate

__all__ = ["SklearnModel", "SklearnTrainer"]

MODEL_FILE = "model.skops"

_LIBRARIES = ("numpy", "scikit-learn", "scipy", "skops")

# Beyond what skops itself trusts; neither runs code, and of the second the indices are checked.
_ALLOWED = frozenset(
    {"numpy.dtype", "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"},
)

# Module state on purpose: the number of BLAS threads belongs to the process, and so must its guard.
_one_blas_thread = Lock()


class SklearnModel:
    """A `FittedModel` that is a scikit-learn estimator; safe to predict with from several threads."""

    def __init__(self, estimator: Any, candidate: AnyCandidate) -> None:
        self._openmp = ThreadpoolController().select(user_api="openmp")
        self._estimator = estimator
        self._candidate = candidate
        self._features = int(estimator.n_features_in_)

    def predict(self, rows: Matrix) -> Matrix:
        """See `FittedModel.predict`; raises `BadInput` for another number of features, or infinity."""
        check_rows(rows, self._features)
        if len(rows) == 0:
            return np.empty(0)
        with self._openmp.limit(limits=1):  # of the calling thread, unlike BLAS's
            return predicted(self._estimator, rows)

    def save(self, folder: Path) -> None:
        """Write `model.skops` and `model.json` into a folder."""
        skops.io.dump(self._estimator, folder / MODEL_FILE)
        manifest = ModelManifest(
            candidate=self._candidate,
            features=self._features,
            digest=self.digest(),
            libraries={name: version(name) for name in _LIBRARIES},
        )
        manifest.write(folder)

    def digest(self) -> str:
        """See `FittedModel.digest`."""
        return state_digest(self._estimator)


class SklearnTrainer:
    """A `Trainer` on scikit-learn; `threads` is how many a boosting fit uses (its result is the same)."""

    def __init__(self, *, threads: int = 1) -> None:
        self._threads = threads

    def fit(self, candidate: AnyCandidate, rows: Matrix, labels: Labels) -> SklearnModel:
        """See `Trainer.fit`.

        Raises `BadInput` for rows or labels of the wrong kind, `DataError` when there is one class only or
        labels are no such amounts as the candidate is for, `DefinitionError` when a regression has not
        settled within its iterations, and `Unavailable` when someone else holds the number of BLAS threads.
        """
        check_training(candidate, rows, labels)
        estimator = estimator_for(candidate)
        pools = ThreadpoolController()
        if isinstance(candidate, LinearCandidate):
            blas = pools.select(user_api="blas")
            with _one_blas_thread, blas.limit(limits=1):
                _require_one_thread(blas)
                estimator.fit(rows, labels)
            _require_settled(estimator, candidate)
        else:
            with pools.select(user_api="openmp").limit(limits=self._threads):
                estimator.fit(_with_something(rows), labels)
        return SklearnModel(estimator, candidate)

    def environment(self) -> dict[str, str]:
        """See `Trainer.environment`."""
        return fit_environment(ThreadpoolController().info(), self._threads)

    def load(self, folder: Path) -> SklearnModel:
        """See `Trainer.load`; damaged files and a digest that differs are `IntegrityError`s, too."""
        manifest = ModelManifest.read(folder)
        path = folder / MODEL_FILE
        if not path.is_file():
            raise NotFound(f"there is no model in {folder}: {MODEL_FILE} is missing")
        model = SklearnModel(_load_audited(path, manifest), manifest.candidate)
        found = model.digest()
        if found != manifest.digest:
            raise IntegrityError(
                f"{path} holds a model with digest {found}, its manifest says {manifest.digest};"
                " fetch it again"
            )
        return model


def _require_one_thread(blas: Any) -> None:
    # threadpoolctl lets one thread of the process at a time set it, and quietly does nothing for others.
    if any(library["num_threads"] != 1 for library in blas.info()):
        raise Unavailable(
            "another thread of this process holds the number of BLAS threads above 1"
            " (threadpoolctl.threadpool_limits), so this fit could not be repeated; fit outside of that"
            " block, or set it to 1"
        )


def _with_something(rows: Matrix) -> Matrix:
    """The rows, columns without any value at 0: scikit-learn cannot bin nothing, but splits no constant."""
    empty = np.isnan(rows).all(axis=0)
    return np.where(empty, 0.0, rows) if empty.any() else rows


def _require_settled(pipeline: Any, candidate: LinearCandidate) -> None:
    if isinstance(candidate, Ridge):  # solved at once
        return
    if np.max(pipeline[-1].n_iter_) >= candidate.max_iterations:
        raise DefinitionError(
            f"candidate {candidate.name!r} has not settled after {candidate.max_iterations} iterations;"
            " give max_iterations more, or regularisation less (a stronger penalty)"
        )


def _load_audited(path: Path, manifest: ModelManifest) -> Any:
    try:
        strange = set(skops.io.get_untrusted_types(file=path)) - _ALLOWED
        if strange:
            raise IntegrityError(
                f"{path} would construct {', '.join(sorted(strange))}, which no model of ours holds;"
                " nothing was constructed. Do not trust where it came from"
            )
        estimator = skops.io.load(path, trusted=sorted(_ALLOWED))
        _check_kind(path, estimator, manifest)
    except MlopsError:
        raise
    except Exception as error:  # a forged or torn file can fail in any way that parsing can
        raise IntegrityError(f"{path} cannot be read as a model ({error}); fetch it again") from error
    return estimator


def _check_kind(path: Path, estimator: Any, manifest: ModelManifest) -> None:
    expected = _kinds(estimator_for(manifest.candidate))
    if _kinds(estimator) != expected or estimator.n_features_in_ != manifest.features:
        raise IntegrityError(
            f"{path} holds {' > '.join(_kinds(estimator))} of {estimator.n_features_in_} features,"
            f" its manifest says {' > '.join(expected)} of {manifest.features}; fetch it again"
        )
    if not isinstance(manifest.candidate, LinearCandidate):
        check_trees(estimator, manifest.features)


def _kinds(estimator: Any) -> list[str]:
    parts = (
        [estimator, *(step for _, step in estimator.steps)] if type(estimator) is Pipeline else [estimator]
    )
    return [f"{type(part).__module__}.{type(part).__qualname__}" for part in parts]
