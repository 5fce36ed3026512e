"""What the conformance suite has to know of a target beside its deployer: how callers ask, how it fails."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from mlops_core.domain.release import Release
    from mlops_core.errors import MlopsError
    from mlops_core.ports import Deployer

__all__ = ["Fault", "Killed", "Rig"]


class Killed(BaseException):
    """What a killed process would have been: nobody catches it."""


@dataclass(frozen=True)
class Fault:
    """Something wrong at the target while `on()` lasts: what it raises there, in which words."""

    name: str
    on: Callable[[], AbstractContextManager[object]]
    raises: type[MlopsError]
    says: str


class Rig(ABC):
    """One target, empty when the test begins.

    `is_fake` says that something stands in for it, `knows_shadow` that it can copy requests.
    """

    target: str
    is_fake = True
    knows_shadow = True

    @property
    @abstractmethod
    def deployer(self) -> Deployer:
        """A deployer of that target, made anew each time: what is known of the target is there, not here."""

    @abstractmethod
    def call(self, name: str, times: int) -> Counter[int]:
        """Ask for one row as callers do, so often: how many answers each version gave. Raises on an error."""

    @abstractmethod
    def tamper(self, release: Release) -> None:
        """Change one byte of the release's model where it lies."""

    def faults(self) -> tuple[Fault, ...]:
        """What can go wrong there: at least credentials, quota, time-out and out of reach, if it has them."""
        return ()

    def dies_after(self, calls: int) -> AbstractContextManager[object] | None:
        """Raise `Killed` in the call to the target that follows so many; None where there are none."""
        del calls
        return None

    def lying(self, release: Release) -> AbstractContextManager[object] | None:
        """What serves this release predicts otherwise while it lasts; None where nobody could be lied to."""
        del release
        return None
