"""Releases on trial that behave as a test wants: what the files say is fine, the loaded model is not."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_core.adapters.deployer.local import LocalDeployer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from mlops_core.domain.release import Release
    from mlops_core.ports import FittedModel, Trainer

    Floats = NDArray[np.float64]
    Wrong = Callable[[Floats, Floats], Floats]

__all__ = ["WRONG", "WrongDeployer", "alike", "raising", "shifted", "slow", "some_raise"]


def alike(_: Floats, scores: Floats) -> Floats:
    """Nothing is wrong."""
    return scores


def shifted(_: Floats, scores: Floats) -> Floats:
    """Scores are 0.3 too high."""
    return np.minimum(scores + 0.3, 1.0)


def raising(_: Floats, __: Floats) -> Floats:
    """Nothing is ever answered."""
    raise RuntimeError("out of luck")


def some_raise(rows: Floats, scores: Floats) -> Floats:
    """Rows whose first feature is 3 or more are not answered."""
    if (rows[:, 0] >= 3).any():
        raise RuntimeError("out of luck")
    return scores


def slow(_: Floats, scores: Floats) -> Floats:
    """It takes its time."""
    time.sleep(0.05)
    return scores


WRONG: dict[str, Wrong] = {one.__name__: one for one in (alike, shifted, raising, some_raise, slow)}


@dataclass
class _Model:
    """A model whose answers go through something else."""

    model: FittedModel
    wrong: Wrong

    def predict(self, rows: Floats) -> Floats:
        return self.wrong(rows, self.model.predict(rows))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)


class WrongDeployer(LocalDeployer):
    """The local deployer, in whose processes versions from 2 on answer otherwise once they are proved."""

    def __init__(self, *, home: Path, trainer: Trainer, how: str = "alike") -> None:
        super().__init__(home=home, trainer=trainer)
        self.wrong = WRONG[how]

    def load(self, release: Release) -> FittedModel:
        model = super().load(release)
        return _Model(model, self.wrong) if release.version > 1 else model
