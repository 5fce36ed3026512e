"""The contract of `Trainer` and `FittedModel`, for every trainer and candidate."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

from mlops_core.adapters.trainer.memory import MemoryTrainer
from mlops_core.adapters.trainer.quick import QuickTrainer
from mlops_core.adapters.trainer.sklearn import SklearnTrainer
from mlops_core.errors import BadInput, DataError, IntegrityError, NotFound
from mlops_core.metrics import roc_auc
from mlops_core.ports import FittedModel, Trainer

if TYPE_CHECKING:
    from mlops_core.domain.candidates import AnyCandidate

Data = tuple[NDArray[np.float64], NDArray[np.int8]]
Save = Callable[[FittedModel], Path]


@pytest.fixture(params=[MemoryTrainer, SklearnTrainer, QuickTrainer])
def trainer(request: pytest.FixtureRequest) -> Trainer:
    """Every trainer there is."""
    made: Trainer = request.param()
    return made


@pytest.fixture(params=["logistic", "plain", "boosting"])
def candidate(request: pytest.FixtureRequest, candidates: dict[str, AnyCandidate]) -> AnyCandidate:
    """Every kind of candidate."""
    return candidates[request.param]


def test_predictions_are_probabilities_that_rank(
    trainer: Trainer, candidate: AnyCandidate, data: Data
) -> None:
    """One a row, between 0 and 1, better than chance, in spite of missing, negative and constant values."""
    rows, labels = data
    scores = trainer.fit(candidate, rows, labels).predict(rows)
    assert scores.shape == (len(rows),)
    assert scores.dtype == np.float64
    assert (scores > 0).all()
    assert (scores < 1).all()
    assert roc_auc(labels, scores) > 0.65


def test_a_saved_model_is_the_same_when_loaded(
    trainer: Trainer, candidate: AnyCandidate, data: Data, saved: Save
) -> None:
    """The same digest and the same predictions to the last bit, before and after it was used."""
    rows, labels = data
    model = trainer.fit(candidate, rows, labels)
    loaded = trainer.load(saved(model))
    np.testing.assert_array_equal(loaded.predict(rows), model.predict(rows))
    assert loaded.digest() == model.digest()
    assert trainer.load(saved(loaded)).digest() == model.digest()


def test_equal_fits_have_equal_digests_and_others_do_not(
    trainer: Trainer, candidate: AnyCandidate, data: Data
) -> None:
    """One label turned round is another model; so is another specification."""
    rows, labels = data
    turned = labels.copy()
    turned[0] = 1 - turned[0]
    digest = trainer.fit(candidate, rows, labels).digest()
    assert trainer.fit(candidate, rows, labels).digest() == digest
    assert trainer.fit(candidate, rows, turned).digest() != digest
    stronger = candidate.model_copy(update={"regularisation": candidate.regularisation / 2})
    assert trainer.fit(stronger, rows, labels).digest() != digest


def test_a_row_alone_is_predicted_as_among_others(
    trainer: Trainer, candidate: AnyCandidate, data: Data
) -> None:
    """To the tolerance that probes have; and no rows are no predictions."""
    rows, labels = data
    model = trainer.fit(candidate, rows, labels)
    alone = [float(model.predict(rows[index : index + 1])[0]) for index in range(20)]
    np.testing.assert_allclose(alone, model.predict(rows)[:20], rtol=0, atol=1e-12)
    assert model.predict(rows[:0]).shape == (0,)


def test_fitting_leaves_its_input_alone(trainer: Trainer, candidate: AnyCandidate, data: Data) -> None:
    """Rows are shared between candidates that are fitted side by side."""
    rows, labels = data[0].copy(), data[1].copy()
    trainer.fit(candidate, rows, labels).predict(rows)
    np.testing.assert_array_equal(rows, data[0])
    np.testing.assert_array_equal(labels, data[1])


def test_what_cannot_be_learnt_from_is_refused(trainer: Trainer, candidate: AnyCandidate, data: Data) -> None:
    """Infinity, one class, strange labels, rows without labels, no rows."""
    rows, labels = data
    infinite = rows.copy()
    infinite[3, 1] = np.inf
    with pytest.raises(BadInput, match=r"column 1 .* is infinite"):
        trainer.fit(candidate, infinite, labels)
    with pytest.raises(DataError, match="one class only: all 2000 training labels are 1"):
        trainer.fit(candidate, rows, np.ones_like(labels))
    with pytest.raises(BadInput, match="must be 0 or 1"):
        trainer.fit(candidate, rows, labels * np.int8(2))
    with pytest.raises(BadInput, match=r"got \(2000, 4\) and \(5,\)"):
        trainer.fit(candidate, rows, labels[:5])
    with pytest.raises(BadInput, match=r"got \(0, 4\)"):
        trainer.fit(candidate, rows[:0], labels[:0])


def test_rows_of_another_width_are_refused(trainer: Trainer, candidate: AnyCandidate, data: Data) -> None:
    """By name of what was expected, and so is a single row without its second dimension."""
    rows, labels = data
    model = trainer.fit(candidate, rows, labels)
    for wrong in (rows[:, :3], rows[0]):
        with pytest.raises(BadInput, match="takes rows of 4 features"):
            model.predict(wrong)
    with pytest.raises(BadInput, match="infinite"):
        model.predict(np.full((1, 4), -np.inf))


def test_a_folder_without_a_model_is_not_found(trainer: Trainer, tmp_path: Path) -> None:
    """Nor is a folder that does not exist."""
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(NotFound, match=r"model\.json is missing"):
            trainer.load(folder)


@pytest.mark.parametrize(
    "content", [b"", b"\x00\xff", b"[]", b'{"format": 1}', b'{"format": 2, "pickled": "x"}']
)
def test_a_manifest_that_is_none_is_refused(
    trainer: Trainer, candidate: AnyCandidate, data: Data, saved: Save, content: bytes
) -> None:
    """Whatever stands in it."""
    folder = saved(trainer.fit(candidate, *data))
    (folder / "model.json").write_bytes(content)
    with pytest.raises(IntegrityError, match=r"model\.json"):
        trainer.load(folder)


def test_a_changed_digest_is_noticed(
    trainer: Trainer, candidate: AnyCandidate, data: Data, saved: Save
) -> None:
    """What the manifest says must be what the files hold."""
    model = trainer.fit(candidate, *data)
    manifest = saved(model) / "model.json"
    manifest.write_text(manifest.read_text().replace(model.digest(), "0" * 64))
    with pytest.raises(IntegrityError, match="0000"):
        trainer.load(manifest.parent)
