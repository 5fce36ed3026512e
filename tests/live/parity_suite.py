"""What holds for every way to run a use case: `benchmarks/parity` has the ways, a file of tests each way."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from benchmarks.parity.on_this_machine import InProcess
from benchmarks.parity.result import Fault
from benchmarks.parity.way import CHURN, Subject, run
from tests.every_point import one_in, sample
from tests.flows.purchases import write_purchases

if TYPE_CHECKING:
    from benchmarks.parity.result import Result
    from benchmarks.parity.way import Way

__all__ = ["Held", "Parity", "Shop", "delivered", "rejected", "shop", "waiting"]

REJECTING = {"floor": 0.99, "fail_on_rejection": True}
WAYS = ("InProcess", "FromFile", "TaskChain", "OwnFlow", "ExportedFlow", "Airflow", "GitHub")
"""In a sample each lets other tasks fail than the one before: together they let every task fail."""
HELD = Subject("held", "tests.live.parity_held:HELD", "churn", ("-m", "tests.live.parity_held"))


class Shop:
    """The small shop: its purchases, and a state folder with a version that nothing was decided on.

    Both are made by the first test process that wants them.
    """

    def __init__(self, shared: Path, own: Path) -> None:
        self.told = {"data": shared / "purchases.parquet"}
        self._trained, self._own = shared / "trained", own
        shared.mkdir(exist_ok=True)
        with FileLock(shared / "lock"):
            if not self._trained.exists():
                write_purchases(self.told["data"], 650)
                result = run(InProcess(), shared / "first", told=self.told, fault=Fault("gate"))
                assert result.ran.those("failed") == {"gate"}, result.ran.said
                (shared / "first").rename(self._trained)

    def home(self) -> Path:
        """A state folder that is not there yet."""
        return Path(tempfile.mkdtemp(dir=self._own)) / "state"

    def trained(self) -> Path:
        """A copy of the one in which everything is trained."""
        return shutil.copytree(self._trained, self.home())


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Shop:
    """The small shop, one for all processes of the tests."""
    base = tmp_path_factory.getbasetemp()
    return Shop((base if worker_id == "master" else base.parent) / "shop", tmp_path_factory.mktemp("parity"))


@pytest.fixture(scope="session")
def delivered(shop: Shop) -> Result:
    """What `mlops run` delivers."""
    return run(InProcess(), shop.trained(), told=shop.told)


@pytest.fixture(scope="session")
def rejected(shop: Shop) -> Result:
    """What `mlops run` rejects with a floor that no model reaches."""
    return run(InProcess(), shop.trained(), told=shop.told | REJECTING)


@pytest.fixture(scope="session")
def waiting(shop: Shop) -> Result:
    """Where `mlops run` waits for a person."""
    return run(InProcess(), shop.trained(), subject=HELD, told=shop.told)


class Parity:
    """The tests; a class of a file has the fixture `way`."""

    exit_codes = True
    """Whether its exit codes are those of the commands; otherwise 1 whatever failed."""

    def test_an_empty_state_folder_comes_to_hold_the_same(
        self, way: Way, shop: Shop, delivered: Result
    ) -> None:
        result = run(way, shop.home(), told=shop.told)
        assert result.ran.exit_code == 0, result.ran.said
        assert result.found == delivered.found
        assert result.verdict == delivered.verdict == "delivered"
        assert result.ran.states == delivered.ran.states
        assert result.watched.attempts == dict.fromkeys(result.ran.states, 1)

    def test_a_failure_leaves_what_depends_on_it_skipped_and_the_next_run_ends_as_if_there_were_none(
        self, way: Way, shop: Shop, delivered: Result
    ) -> None:
        """The next run delivers what an undisturbed one does, though an engine is busy: it is asked twice.

        Once each by every other task: one alone makes the attempts.
        """
        home, dag = shop.trained(), CHURN.dag()
        for place in sample(dag.topological_order(), len(WAYS), WAYS.index(type(way).__name__)):
            result = run(way, home, told=shop.told, fault=Fault(place))
            skipped = set(dag.descendants(place))
            states = {one.name: "finished" for one in dag} | dict.fromkeys(skipped, "skipped")
            assert result.ran.states == states | {place: "failed"}, result.ran.said
            assert result.verdict == "failed"
            assert result.ran.exit_code == 1
            assert result.watched.attempts == dict.fromkeys(states.keys() - skipped, 1)
            assert result.watched.finished == states.keys() - skipped - {place}
            assert result.found.release is None
        again = run(way, home, told=shop.told, fault=Fault("model_registry", "Unavailable"))
        assert again.found == delivered.found, again.ran.said
        assert again.ran.states == delivered.ran.states
        assert again.watched.attempts == dict.fromkeys(again.ran.states, 1) | {"model_registry": 2}

    def test_a_rejected_version_fails_the_run_that_asked_to_be_told(
        self, way: Way, shop: Shop, rejected: Result
    ) -> None:
        _in_sample(way, 0)
        result = run(way, shop.trained(), told=shop.told | REJECTING)
        assert result.ran.exit_code == (rejected.ran.exit_code if self.exit_codes else 1), result.ran.said
        assert result.verdict == rejected.verdict == "rejected"
        assert result.found == rejected.found
        assert result.found.release is None
        assert result.watched.finished == rejected.watched.finished


class Held(Parity):
    """And of those that end their run while a person is asked."""

    def test_a_version_that_awaits_a_person_ends_the_run_and_changes_nothing(
        self, way: Way, shop: Shop, waiting: Result
    ) -> None:
        _in_sample(way, 1)
        result = run(way, shop.trained(), subject=HELD, told=shop.told)
        assert result.ran.exit_code == 0, result.ran.said
        assert result.verdict == waiting.verdict == "approval waiting"
        assert result.found == waiting.found
        assert result.found.release is None
        assert result.ran.states == waiting.ran.states


def _in_sample(way: Way, place: int) -> None:
    """In a sample every other way is tried: those before, or those between."""
    if (WAYS.index(type(way).__name__) - place) % one_in(2):
        pytest.skip("every night (EVERY_POINT=1): another way is tried instead")
