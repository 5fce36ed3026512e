"""Callers while a release is on trial: who answers them, and what they never see."""

from __future__ import annotations

import logging
import time
from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mlops_core.adapters.trainer.memory import MemoryTrainer
from mlops_core.domain.traffic import Bounds
from mlops_core.errors import BadInput, NotFound
from mlops_core.serving.arms import Answer, Arms
from mlops_core.serving.follower import ReleaseFollower
from tests.serving.trials import WRONG, WrongDeployer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlops_core.adapters.online_store.memory import MemoryOnlineStore
    from mlops_core.domain.release import Bundle
    from mlops_core.serving.predictor import Predictor

ROWS = np.random.default_rng(1).normal(2, 2, (500, 2))


class Rig:
    """Version 1 serves, version 2 may be on trial; every second request without a version is drawn for it."""

    def __init__(self, home: Path, make_bundle: Callable[..., Bundle], store: MemoryOnlineStore) -> None:
        self.deployer = WrongDeployer(home=home, trainer=MemoryTrainer())
        self.releases = [self.deployer.prepare(make_bundle(version)) for version in (1, 2)]
        self.deployer.activate(self.releases[0])
        self.follower = ReleaseFollower(name="churn", source=self.deployer, store=store)
        draws = cycle((0.0, 0.999))
        self.arms = Arms(self.follower, draw=lambda: next(draws))

    def share(self, how: str = "alike", percent: int = 50, *, shadow: bool = False, **bounds: Any) -> None:
        """Try version 2, which behaves like `how`; it may take its time unless a test says otherwise."""
        bounds = {"latency_ms": None} | bounds
        self.deployer.wrong = WRONG[how]
        self.deployer.share(self.releases[1], percent, shadow=shadow, bounds=Bounds(**bounds))
        self.follower.refresh()

    def ask(self, number: int = 0, version: str | None = None) -> Answer[int]:
        """One request of one row."""

        def work(predictor: Predictor) -> Answer[int]:
            scores = predictor.predict_rows(ROWS[number % len(ROWS)][None, :])
            return Answer(predictor.release.version, scores, predictor)

        return self.arms.answer(work, version)

    def until_taken_back(self, most: int = 2000) -> int:
        """Ask until the verdict; how many requests version 2 had answered or failed."""
        for number in range(most):
            self.ask(number)
            found = self.arms.trial()
            if found is None or found.verdict is not None:
                return found.requests if found else 0
        pytest.fail(f"still on trial after {most} requests")

    def settled(self) -> None:
        """Wait for the shadow to have done what waits."""
        deadline = time.monotonic() + 20
        while self.arms._shadow._jobs.qsize() and time.monotonic() < deadline:
            time.sleep(0.005)
        self.follower.refresh()


@pytest.fixture
def rig(tmp_path: Path, make_bundle: Callable[..., Bundle], store: MemoryOnlineStore) -> Rig:
    made = Rig(tmp_path / "home", make_bundle, store)
    made.follower.refresh()
    return made


def test_requests_go_by_weight_to_either(rig: Rig) -> None:
    """By a draw of their own, whatever they ask about; the answer says who gave it."""
    rig.share(percent=50)
    found = [rig.ask() for _ in range(10)]
    assert [one.body for one in found] == [2, 1] * 5
    assert [one.arm for one in found] == ["trial", "serving"] * 5
    assert [one.by.release.version for one in found] == [2, 1] * 5


def test_a_version_that_is_named_answers(rig: Rig) -> None:
    """Either of them; that is no sample of callers, so it is not counted."""
    rig.share()
    assert [rig.ask(version=version).body for version in ("1", "2", "2")] == [1, 2, 2]
    found = rig.arms.trial()
    assert found is not None
    assert found.requests == 0
    assert rig.arms.versions == ["1", "2"]
    with pytest.raises(NotFound, match="version 1 of 'churn' is, and version 2 is on trial"):
        rig.ask(version="3")


def test_no_caller_sees_an_error_of_the_release_on_trial(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    """What serves answers instead; after three in a row it gets no more requests, and one line says so."""
    rig.share("raising")
    with caplog.at_level(logging.ERROR):
        assert [rig.ask(number).body for number in range(20)] == [1] * 20
        rig.follower.refresh()
    assert rig.deployer.status("churn").share is not None
    share = rig.deployer.status("churn").share
    assert share is not None
    assert (share.requests, share.errors, share.ended) == (3, 3, "3 of its requests in a row failed")
    (line,) = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert line.startswith("version 2 of churn is taken back after 3 requests (3 failed): 3 of its requests")


@pytest.mark.parametrize("error", [BadInput("a row too many"), NotFound("no such id")])
def test_the_callers_own_fault_is_not_the_trials(rig: Rig, error: Exception) -> None:
    rig.share(failures=1)

    def work(_: Predictor) -> Answer[int]:
        raise error

    for _ in range(20):
        with pytest.raises(type(error), match=str(error)):
            rig.arms.answer(work)
    found = rig.arms.trial()
    assert found is not None
    assert (found.requests, found.verdict) == (0, None)


def test_shifted_scores_are_taken_back(rig: Rig) -> None:
    rig.share("shifted")
    assert rig.until_taken_back() <= 150
    rig.follower.refresh()
    assert {rig.ask(number).body for number in range(50)} == {1}
    share = rig.deployer.status("churn").share
    assert share is not None
    assert "population stability index" in str(share.ended)


def test_a_slow_release_is_taken_back_after_two_requests(rig: Rig) -> None:
    rig.share("slow", latency_ms=20.0)
    assert rig.until_taken_back() == 2


def test_a_release_that_does_alike_stays(rig: Rig) -> None:
    rig.share("alike")
    for number in range(600):
        rig.ask(number)
    found = rig.arms.trial()
    assert found is not None
    assert (found.verdict, found.requests, found.errors) == (None, 300, 0)
    assert found.psi is not None


def test_a_shadow_is_asked_what_callers_ask_and_answers_none(rig: Rig) -> None:
    rig.share("alike", 100, shadow=True)
    for number in range(40):
        assert rig.ask(number).body == 1
        rig.settled()
    share = rig.deployer.status("churn").share
    assert share is not None
    deadline = time.monotonic() + 20
    while (found := rig.arms.trial()) is not None and found.requests < 40 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert found is not None
    assert (found.requests, found.dropped, found.verdict) == (40, 0, None)
    assert rig.ask(version="2").body == 2


@pytest.mark.parametrize("how", ["raising", "shifted"])
def test_a_bad_shadow_is_taken_back(rig: Rig, how: str) -> None:
    rig.share(how, 100, shadow=True)
    for number in range(400):
        assert rig.ask(number).body == 1
        rig.settled()
        share = rig.deployer.status("churn").share
        assert share is not None
        if share.ended:
            return
    pytest.fail("still asked")


def test_a_shadow_that_cannot_keep_up_is_asked_less(rig: Rig) -> None:
    """What waits is bounded, and what is left out is counted; callers wait for none of it."""
    rig.share("slow", 100, shadow=True, latency_ms=None)
    for number in range(120):
        rig.ask(number)
    found = rig.arms.trial()
    assert found is not None
    assert found.dropped >= 120 - 64 - 20
    rig.deployer.withdraw("churn")
    rig.follower.refresh()


def test_nothing_is_quick_while_a_release_may_turn_out_to_be_slow(rig: Rig) -> None:
    """So that what it holds up is its own callers, and not the event loop."""
    assert rig.arms.is_quick()
    rig.share("slow", shadow=True)
    assert rig.arms.is_quick()
    rig.deployer.withdraw("churn")
    rig.share("slow")
    assert not rig.arms.is_quick()
