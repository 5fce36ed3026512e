"""Which release answers a request: the one that serves, or the one that is asked for by its version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from mlops_core.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from mlops_core.serving.follower import ReleaseFollower
    from mlops_core.serving.predictor import Predictor

__all__ = ["Answer", "Arms"]

Body = TypeVar("Body")


@dataclass(frozen=True)
class Answer(Generic[Body]):
    """What a caller gets, the scores in it (n,), and by which predictor."""

    body: Body
    scores: NDArray[np.float64]
    by: Predictor


class Arms:
    """The releases that answer callers of `follower`'s model."""

    def __init__(self, follower: ReleaseFollower) -> None:
        self._follower = follower

    @property
    def name(self) -> str:
        """The model's name."""
        return self._follower.name

    def predictor(self, version: str | None = None) -> Predictor:
        """What serves. Raises `Unavailable` while nothing does, `NotFound` for a version that is not it."""
        current = self._follower.predictor()
        if version not in (None, str(current.release.version)):
            raise NotFound(
                f"this version is not served; version {current.release.version} of {self.name!r} is"
            )
        return current

    def answer(self, work: Callable[[Predictor], Answer[Body]], version: str | None = None) -> Answer[Body]:
        """Do the work of one request with the release that is to answer it.

        `work` may be called a second time with another predictor, or beside, so it changes nothing.
        """
        return work(self.predictor(version))
