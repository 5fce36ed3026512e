"""Trainers, candidates and rows to fit them on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

from mlops_core.domain.candidates import GradientBoosting, LogisticRegression

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlops_core.domain.candidates import AnyCandidate
    from mlops_core.ports import FittedModel

Data = tuple[NDArray[np.float64], NDArray[np.int8]]


@pytest.fixture(scope="session")
def data() -> Data:
    """2,000 rows of a count with holes, a sum that can be a refund, a constant and an empty column."""
    random = np.random.default_rng(5)
    counts = random.poisson(3, 2000).astype(np.float64)
    sums = random.normal(20, 30, 2000)
    labels = (random.random(2000) < 1 / (1 + np.exp(counts - 3 - sums / 30))).astype(np.int8)
    counts[::7] = np.nan
    return np.column_stack([counts, sums, np.full(2000, 4.0), np.full(2000, np.nan)]), labels


@pytest.fixture(scope="session")
def candidates() -> dict[str, AnyCandidate]:
    """Small ones of each kind."""
    return {
        "logistic": LogisticRegression(),
        "plain": LogisticRegression(name="plain", interactions=False),
        "boosting": GradientBoosting(trees=8, least_rows_per_leaf=20),
    }


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[FittedModel], Path]:
    """Saves a model into a new folder."""

    def save(model: FittedModel) -> Path:
        folder = tmp_path / f"model{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        model.save(folder)
        return folder

    return save
