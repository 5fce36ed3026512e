"""Whatever is delivered, approved and rolled back: gc takes all that nobody needs, and nothing else."""

from __future__ import annotations

import shutil
import tempfile
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from mlops_core.domain.usecase import UseCase
from mlops_core.errors import MlopsError
from mlops_core.promotion import current_question, put_into_production, registered
from mlops_core.reproduction import reproduce
from tests.garbage.store import NAME, Store, shop

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFINITIONS = st.builds(
    shop,
    window=st.sampled_from([30, 60]),
    floor=st.sampled_from([0.55, 0.55, 0.99]),  # one in three is rejected
    asks=st.booleans(),
    quick=st.booleans(),
)
DAYS = st.sampled_from([None, date(2021, 4, 30), date(2021, 5, 31)])


class Deliveries(RuleBasedStateMachine):
    """Nothing is young, and everything that is found is removed after every step."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="retention-"))
        self.store = Store(self.folder)
        self.last: Mapping[str, Any] | None = None

    @rule(use_case=DEFINITIONS, seed=st.integers(0, 2), as_of=DAYS)
    def deliver(self, use_case: UseCase, seed: int, as_of: date | None) -> None:
        """The run with what it was given can be repeated without any work."""
        self.last = {"use_case": use_case, "seed": seed, "as_of": as_of}
        self.store.run(**self.last)
        self._collect()
        before = self.store.worked()
        self.store.run(**self.last)
        assert not self.store.worked() - before

    @precondition(lambda self: len({one.version for one in self.store.standing.served}) > 1)
    @rule(data=st.data())
    def roll_back(self, data: st.DataObject) -> None:
        """To any version that ever served."""
        served = sorted({one.version for one in self.store.standing.served})
        number = data.draw(st.sampled_from(served))
        self.store.roll_back(number)
        assert self.store.standing.production == number
        self._collect()

    @precondition(lambda self: self._waiting())
    @rule(data=st.data())
    def approve_and_promote(self, data: st.DataObject) -> None:
        """A question that could be answered before gc can be answered after it, and the answer counts."""
        number = data.draw(st.sampled_from(self._waiting()))
        version = registered(self.store.engines, NAME, number)
        policy = self.store.standing.decisions[number].policy
        theirs = UseCase.stored(version.use_case, NAME).model_copy(update={"gate": policy})
        self.store.approve(number, theirs)
        self._collect()
        release = put_into_production(
            self.store.engines, version, policy, actor="bo", reason="approved", named=True
        )
        assert release.version == number
        self._collect()

    @invariant()
    def what_serves_has_its_values(self) -> None:
        """The release is in place, and the set of online values that it reads."""
        if self.store.standing.production is None:
            return
        release = self.store.engines.deployer.current(NAME)
        assert release.version == self.store.standing.production
        theirs = UseCase.stored(release.use_case, NAME)
        assert self.store.engines.online.state(theirs.online_name) is not None

    def teardown(self) -> None:
        """At the end, every version is made again, and every one that served serves again."""
        if not hasattr(self, "folder"):
            return
        try:
            for version in self.store.engines.registry.versions(NAME):
                assert reproduce(version, self.store.engines).verdict == "identical"
            for number in sorted({one.version for one in self.store.standing.served}):
                self.store.roll_back(number)
                assert self.store.engines.deployer.current(NAME).version == number
        finally:
            shutil.rmtree(self.folder)

    def _waiting(self) -> list[int]:
        return [number for number in self.store.standing.requests if self._question(number) is not None]

    def _question(self, number: int) -> str | None:
        """What is asked about a version now; None when it cannot be answered any more."""
        standing = self.store.standing
        if standing.requests[number].answered is not None or number not in standing.decisions:
            return None
        version, policy = registered(self.store.engines, NAME, number), standing.decisions[number].policy
        try:
            return current_question(self.store.engines, standing, version, policy).digest
        except MlopsError:
            return None

    def _collect(self) -> None:
        asked = {number: self._question(number) for number in self.store.standing.requests}
        self.store.collect()
        assert not self.store.found()
        assert not self.store.lost_events()
        assert not self.store.lost_releases()
        assert {number: self._question(number) for number in self.store.standing.requests} == asked
        for number, question in asked.items():
            report = self.store.home / self.store.standing.requests[number].what.report_path
            assert question is None or report.is_file()


QUICK = settings(
    max_examples=3,
    stateful_step_count=4,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # to shrink takes minutes and shows little more
)


class ManyDeliveries(Deliveries):
    """The same, for longer."""


TestDeliveries = Deliveries.TestCase
TestDeliveries.settings = QUICK
TestManyDeliveries = pytest.mark.live(ManyDeliveries.TestCase)
TestManyDeliveries.settings = settings(QUICK, max_examples=8, stateful_step_count=8)
