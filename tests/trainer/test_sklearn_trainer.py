"""What only scikit-learn's trainer promises: nothing forged is constructed, and threads change nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier
from threadpoolctl import threadpool_limits

from mlops_core.adapters.trainer.estimators import estimator_for
from mlops_core.adapters.trainer.fitted_state import state_digest
from mlops_core.adapters.trainer.sklearn import SklearnTrainer
from mlops_core.domain.candidates import AnyCandidate, GradientBoosting, LogisticRegression
from mlops_core.errors import DefinitionError, IntegrityError, NotFound
from mlops_core.ports import FittedModel

Data = tuple[NDArray[np.float64], NDArray[np.int8]]
Save = Callable[[FittedModel], Path]


def digest_of_fit(candidate: AnyCandidate) -> str:
    """On rows enough for BLAS to share its sums out among threads."""
    random = np.random.default_rng(0)
    rows = random.gamma(1.0, 20.0, (20_000, 6))
    labels = (random.random(20_000) < 1 / (1 + rows[:, 0] / 20)).astype(np.int8)
    return SklearnTrainer(threads=2).fit(candidate, rows, labels).digest()


def fit_and_digest() -> list[str]:
    """One digest of each kind of candidate."""
    return [digest_of_fit(one) for one in (LogisticRegression(), GradientBoosting(trees=5))]


@pytest.mark.live
def test_processes_and_thread_counts_agree_on_digests() -> None:
    """A process that is allowed one thread fits the same models as this one with two."""
    here = Path(__file__)
    program = f"import runpy; print(*runpy.run_path({str(here)!r})['fit_and_digest']())"
    child = subprocess.Popen(  # noqa: S603 - this file, run by this interpreter
        [sys.executable, "-c", program],
        env={
            **os.environ,
            "PYTHONPATH": str(here.parents[2]),
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
        },
        stdout=subprocess.PIPE,
        text=True,
    )
    with threadpool_limits(limits=2):
        ours = fit_and_digest()
    assert child.communicate(timeout=60)[0].split() == ours


def test_fits_side_by_side_agree_with_one_alone() -> None:
    """The number of BLAS threads belongs to the process: fits that end must not disturb those that go on."""
    with ThreadPoolExecutor(3) as pool:
        found = set(pool.map(digest_of_fit, [LogisticRegression()] * 9))
    assert found == {digest_of_fit(LogisticRegression())}


def test_a_fit_that_could_not_be_repeated_is_refused() -> None:
    """While another thread holds BLAS at two threads, a fit is the usual one or none."""
    usual = digest_of_fit(LogisticRegression())
    with threadpool_limits(limits=2, user_api="blas"), ThreadPoolExecutor(1) as pool:
        fit = pool.submit(digest_of_fit, LogisticRegression())
        refusal = fit.exception()
    assert "holds the number of BLAS threads" in str(refusal) if refusal else fit.result() == usual


def test_a_logistic_fit_is_at_its_optimum(data: Data) -> None:
    """Doubling what is left of the way, by L-BFGS from scratch, finds no lower penalised loss."""
    rows, labels = data
    ours, other = estimator_for(LogisticRegression()), estimator_for(LogisticRegression())
    other[-1].set_params(solver="lbfgs", tol=1e-10, max_iter=10_000)
    losses = []
    for pipeline in (ours, other):
        pipeline.fit(rows, labels)
        chance = pipeline.predict_proba(rows)[np.arange(len(labels)), labels]
        losses.append(-np.log(chance).sum() + np.square(pipeline[-1].coef_).sum() / (2 * 0.1))
    assert losses[0] <= losses[1] + 1e-6


@pytest.mark.filterwarnings("ignore:Newton solver did not converge", "ignore:.*Line search")
def test_a_fit_that_has_not_settled_is_refused(data: Data) -> None:
    """With one iteration allowed, a message says what to change."""
    with pytest.raises(
        DefinitionError, match="'hasty' has not settled after 1 iterations; give max_iterations"
    ):
        SklearnTrainer().fit(LogisticRegression(name="hasty", max_iterations=1), *data)


def test_foreign_types_are_named_and_never_constructed(
    data: Data, candidates: dict[str, AnyCandidate], saved: Save
) -> None:
    """A file that holds anything off the allow-list is refused before it is built."""
    folder = saved(SklearnTrainer().fit(candidates["plain"], *data))
    skops.io.dump([Fraction(1, 2)], folder / "model.skops")
    with pytest.raises(
        IntegrityError, match=r"would construct fractions\.Fraction.* nothing was constructed"
    ):
        SklearnTrainer().load(folder)


def test_another_estimator_is_refused(data: Data, candidates: dict[str, AnyCandidate], saved: Save) -> None:
    """Types that skops trusts are not enough: it must be the kind that the manifest says."""
    folder = saved(SklearnTrainer().fit(candidates["plain"], *data))
    skops.io.dump(DummyClassifier().fit(*data), folder / "model.skops")
    with pytest.raises(IntegrityError, match=r"holds sklearn\.dummy\.DummyClassifier of 4 features"):
        SklearnTrainer().load(folder)


@pytest.mark.parametrize(
    ("field", "value"), [("left", 0), ("right", 10**6), ("feature_idx", 4), ("is_categorical", 1)]
)
def test_trees_that_lead_nowhere_are_refused(
    data: Data, candidates: dict[str, AnyCandidate], saved: Save, field: str, value: int
) -> None:
    """scikit-learn would follow such indices into foreign memory, or for ever."""
    model = SklearnTrainer().fit(candidates["boosting"], *data)
    folder = saved(model)
    file = folder / "model.skops"
    forged = skops.io.load(file, trusted=skops.io.get_untrusted_types(file=file))
    forged._predictors[3][0].nodes[field][0] = value
    skops.io.dump(forged, file)
    manifest = folder / "model.json"
    manifest.write_text(manifest.read_text().replace(model.digest(), state_digest(forged)))
    with pytest.raises(IntegrityError, match="tree 3 of the model has splits that lead nowhere"):
        SklearnTrainer().load(folder)


@pytest.mark.parametrize("damage", ["empty", "torn", "no zip", "other zip"])
def test_a_damaged_file_is_refused(
    data: Data, candidates: dict[str, AnyCandidate], saved: Save, damage: str
) -> None:
    """However it is damaged, the error is ours and names the file."""
    file = saved(SklearnTrainer().fit(candidates["boosting"], *data)) / "model.skops"
    whole = file.read_bytes()
    file.write_bytes({"empty": b"", "torn": whole[: len(whole) // 2], "no zip": b"PK"}.get(damage, whole))
    if damage == "other zip":
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("schema.json", "{}")
    with pytest.raises(IntegrityError, match=r"model\.skops cannot be read as a model"):
        SklearnTrainer().load(file.parent)


def test_a_manifest_without_its_model_is_not_found(
    data: Data, candidates: dict[str, AnyCandidate], saved: Save
) -> None:
    """Half a model is none."""
    folder = saved(SklearnTrainer().fit(candidates["plain"], *data))
    (folder / "model.skops").unlink()
    with pytest.raises(NotFound, match=r"model\.skops is missing"):
        SklearnTrainer().load(folder)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda pipeline: pipeline[0].statistics_.__setitem__(0, 1.0),
        lambda pipeline: pipeline[-1].coef_.__setitem__((0, 2), np.nextafter(pipeline[-1].coef_[0, 2], 9)),
        lambda pipeline: setattr(pipeline[-1], "C", 0.2),
        lambda pipeline: setattr(pipeline[1], "func", np.log1p),
        lambda pipeline: setattr(pipeline[2], "mean_", pipeline[2].mean_.astype(np.float32)),
    ],
)
def test_a_digest_sees_every_part(data: Data, spoil: Callable[[Any], None]) -> None:
    """The last bit of a coefficient, a parameter, a function, a data type."""
    pipeline = estimator_for(LogisticRegression()).fit(*data)
    before = state_digest(pipeline)
    spoil(pipeline)
    assert state_digest(pipeline) != before
