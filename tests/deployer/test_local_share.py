"""The files by which a release on this machine has a share of the callers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from mlops_core.domain.traffic import Bounds
from mlops_core.domain.trial import Tally
from mlops_core.errors import IntegrityError
from tests.deployer.interrupted import inject

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlops_core.adapters.deployer.local import LocalDeployer
    from mlops_core.domain.release import Bundle, Release

    Two = tuple[Release, Release]

MOST_STEPS = 100


class Killed(BaseException):
    """What a killed process would have been."""


@pytest.fixture
def base(home: Path) -> Path:
    return home / "releases" / "churn"


@pytest.fixture
def two(local: LocalDeployer, make_bundle: Callable[..., Bundle]) -> Two:
    """The first of them serves."""
    first, second = local.prepare(make_bundle(1)), local.prepare(make_bundle(2))
    local.activate(first)
    return first, second


def killed_at(step: int, doing: Callable[[], object]) -> bool:
    """Do it and be killed before the `step`-th call that changes files; False when there are fewer."""

    def die() -> None:
        raise Killed

    restore = inject(step, die)
    try:
        doing()
    except Killed:
        return True
    finally:
        restore()
    return False


def who(local: LocalDeployer) -> tuple[int, int | None]:
    """The version that serves, and the one that servers would have on trial."""
    current, trial = local.current("churn"), local.on_trial("churn")
    assert current is not None
    return current.version, trial.release.version if trial else None


def test_an_interrupted_promotion_is_one_or_the_other(local: LocalDeployer, two: Two) -> None:
    """The share ends in the very step in which the release on trial begins to serve."""
    for step in range(MOST_STEPS):
        local.activate(two[0])
        local.share(two[1], 50)
        if not killed_at(step, lambda: local.activate(two[1])):
            break
        assert who(local) in {(1, 2), (2, None)}, step
        local.activate(two[1])
        assert who(local) == (2, None)
    assert step > 5


def test_an_interrupted_return_does_not_bring_a_trial_back(
    local: LocalDeployer, two: Two, base: Path
) -> None:
    """The file that a killed promotion left is gone before what it stood beside serves again."""
    local.share(two[1], 50)
    left = (base / "share.json").read_bytes()
    for step in range(MOST_STEPS):
        local.activate(two[1])
        (base / "share.json").write_bytes(left)
        interrupted = killed_at(step, lambda: local.activate(two[0]))
        assert who(local) in {(2, None), (1, None)}, step
        if not interrupted:
            break
    assert who(local) == (1, None)
    assert step > 5


@pytest.mark.parametrize("ends", [True, False])
def test_an_interrupted_share_is_one_or_the_other(local: LocalDeployer, two: Two, ends: bool) -> None:
    """Begun anew after it was taken back, or ended by a person."""
    for step in range(MOST_STEPS):
        if ends:
            local.share(two[1], 50)
        else:
            local.withdraw("churn")
        doing = (lambda: local.withdraw("churn")) if ends else (lambda: local.share(two[1], 50))
        if not killed_at(step, doing):
            break
        assert who(local) in {(1, 2), (1, None)}, step
    assert who(local) == (1, None if ends else 2)
    assert step > 1


def test_a_share_that_is_there_is_not_written_again(local: LocalDeployer, two: Two, base: Path) -> None:
    """Its time is when it began, so the servers that follow see no other one."""
    local.share(two[1], 10, bounds=Bounds(shift=None))
    before = os.stat(base / "share.json")  # noqa: PTH116 - the inode is what is looked at
    local.share(two[1], 10, bounds=Bounds(shift=None))
    assert os.stat(base / "share.json").st_ino == before.st_ino  # noqa: PTH116 - see above
    local.share(two[1], 10, bounds=Bounds(shift=0.3))
    trial = local.on_trial("churn")
    assert trial is not None
    assert trial.bounds.shift == 0.3


def test_what_is_on_trial_is_no_garbage(local: LocalDeployer, two: Two, base: Path) -> None:
    """Nor is anything while the file that says what is cannot be read."""
    folder = base / two[1].uri.rpartition("/")[2]
    assert local.folders("churn") == [folder]
    local.share(two[1], 10)
    assert local.folders("churn") == []
    assert not local.discard("churn", folder)
    (base / "share.json").write_text("{}")
    assert local.folders("churn") == []
    assert not local.discard("churn", folder)
    local.withdraw("churn")
    assert local.discard("churn", folder)


def test_nothing_is_left_of_a_share_that_ended(local: LocalDeployer, two: Two, base: Path) -> None:
    local.share(two[1], 10)
    trial = local.on_trial("churn")
    assert trial is not None
    local.tell("churn", "0123abcd", Tally(share=trial.share, requests=3))
    assert len(list(base.glob("share*.json"))) == 2
    local.withdraw("churn")
    assert list(base.glob("share*.json")) == []


def test_a_damaged_pointer_shares_nothing(local: LocalDeployer, two: Two, base: Path) -> None:
    """What serves is not known then."""
    (base / "current.json").write_text("{}")
    with pytest.raises(IntegrityError, match=r"current\.json is not a pointer"):
        local.share(two[1], 10)
    status = local.status("churn")
    assert (status.state, status.serving, "current.json" in str(status.why)) == ("failed", None, True)
