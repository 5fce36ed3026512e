"""Anything, in any order, killed anywhere: never two in Production, never none again, and all of it mended.

A machine of rules does what people and pipelines do. Any of it may end at any call of any port, before or
after that call did its work, as a process does that is killed. Beside the ledger runs a model of it that
knows nothing of entries: what is in Production, and what was rolled back from.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from mlops_core.domain.standing import Standing
from mlops_core.errors import NotFound, Superseded
from mlops_core.promotion import decide, lost, prepared, registered, repair, served_before, strays
from mlops_core.workspace import Workspace
from tests.promotion.conftest import MemoryEngines
from tests.promotion.desk import ASKING, NAME, Desk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlops_core.domain.ledger import Entry

PORTS = ("registry", "ledger", "deployer")
SEEDS = st.integers(1, 4)
KILLS = st.one_of(st.none(), st.tuples(st.integers(1, 16), st.booleans()))


class Killed(BaseException):
    """The process is gone: nothing catches it."""


class Mortal:
    """Engines whose ports count their calls together, and end the process at the one that is set."""

    def __init__(self, engines: MemoryEngines) -> None:
        self.engines = engines
        self.kill: tuple[int, bool] | None = None
        self.calls = 0
        self.actor, self.workspace, self.trainer = engines.actor, engines.workspace, engines.trainer
        self.reporter, self.code, self.dispatcher = engines.reporter, engines.code, engines.dispatcher
        for port in PORTS:
            setattr(self, port, _Counted(self, getattr(engines, port)))

    def counted(self, call: Callable[..., Any], *words: Any, **options: Any) -> Any:
        self.calls += 1
        number, done = self.kill or (0, False)
        if self.calls == number and not done:
            raise Killed
        result = call(*words, **options)
        if self.calls == number:
            raise Killed
        return result


class _Counted:
    def __init__(self, mortal: Mortal, port: Any) -> None:
        self._mortal, self._port = mortal, port

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._port, name)
        return lambda *words, **options: self._mortal.counted(call, *words, **options)


class Promotions(RuleBasedStateMachine):
    """See the module."""

    @initialize(asks=st.booleans(), delivered=st.integers(0, 3))
    def begin(self, asks: bool, delivered: int) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="promotions-"))
        engines = MemoryEngines(Workspace(self.home))
        self.mortal = Mortal(engines)
        self.sound = Desk(engines, ASKING) if asks else Desk(engines)  # of those who look and recover
        self.desk = Desk(self.mortal, self.sound.policy)
        self.production: set[int | None] = {
            None
        }  # one; two while it is not known whether a kill was too late
        self.withdrawn: set[int] = set()
        self.seen: tuple[Entry, ...] = ()
        for seed in range(1, delivered + 1):
            version = self.sound.register(seed)
            self._make_ready(version)
            self.sound.promote(version)
            self.production = {version.number}

    def teardown(self) -> None:
        if hasattr(self, "home"):
            shutil.rmtree(self.home)

    @contextmanager
    def maybe_killed(self, kill: tuple[int, bool] | None) -> Iterator[list[object]]:
        """Do what is in the body; the list is empty when it did not come to its end."""
        self.mortal.kill, self.mortal.calls = kill, 0
        finished: list[object] = []
        try:
            yield finished
        except Killed:
            return
        except (Superseded, NotFound):
            finished.clear()
            return
        finished.append(True)

    @property
    def numbers(self) -> list[int]:
        return sorted(self.sound.standing.stages)

    def version(self, pick: int) -> Any:
        return registered(self.sound.engines, NAME, self.numbers[pick % len(self.numbers)])

    @rule(seed=SEEDS, kill=KILLS)
    def register(self, seed: int, kill: tuple[int, bool] | None) -> None:
        with self.maybe_killed(kill):
            self.desk.register(seed)
        if not self.sound.standing.head:
            self.sound.register(seed)  # so that there is one to work with

    @rule(pick=SEEDS, passed=st.booleans(), kill=KILLS)
    def decide(self, pick: int, passed: bool, kill: tuple[int, bool] | None) -> None:
        self._any()
        version = self.version(pick)
        decision = self.sound.decision(version, *(() if passed else ("drift",)))
        with self.maybe_killed(kill):
            decide(self.desk.engines, version, decision)

    @rule(pick=SEEDS, kill=KILLS)
    @precondition(lambda self: self.sound.policy.approval and self.sound.standing.decisions)
    def ask(self, pick: int, kill: tuple[int, bool] | None) -> None:
        decided = sorted(self.sound.standing.decisions)
        with self.maybe_killed(kill):
            self.desk.ask(registered(self.sound.engines, NAME, decided[pick % len(decided)]))

    @rule(pick=SEEDS, consent=st.sampled_from([True, True, False]), kill=KILLS)
    @precondition(lambda self: self.sound.standing.requests)
    def answer(self, pick: int, consent: bool, kill: tuple[int, bool] | None) -> None:
        asked = sorted(self.sound.standing.requests)
        with self.maybe_killed(kill):
            self.desk.answer(registered(self.sound.engines, NAME, asked[pick % len(asked)]), consent)

    @rule(pick=SEEDS, ready=st.sampled_from([True, True, False]), named=st.booleans(), kill=KILLS)
    def promote(self, pick: int, ready: bool, named: bool, kill: tuple[int, bool] | None) -> None:
        self._any()
        version = self.version(pick)
        if ready:
            self._make_ready(version)
        (before,) = self.production
        with self.maybe_killed(kill) as finished:
            release = self.desk.promote(version, named=named)
            assert release.version == version.number
        if finished:
            assert named or version.number == before or version.number not in self.withdrawn
            self.production = {version.number}
        elif kill:
            self.production |= {version.number}
        self._settle(lambda: self.withdrawn.discard(version.number), moved_to=version.number, was=before)

    @rule(to=st.one_of(st.none(), SEEDS), kill=KILLS)
    @precondition(lambda self: self.production != {None})
    def roll_back(self, to: int | None, kill: tuple[int, bool] | None) -> None:
        (before,) = self.production
        try:
            target = served_before(self.sound.standing, to).version
        except NotFound:
            target = before or 0  # an interrupted one is finished, or nothing done
        with self.maybe_killed(kill) as finished:
            release = self.desk.roll_back(to)
            self.production = {release.version}
            assert release.version in (target, before)
            assert to in (None, release.version)
        if not finished and kill:
            self.production |= {target}

        def left() -> None:
            self.withdrawn = (self.withdrawn | {before or 0}) - {target}

        self._settle(left, moved_to=target, was=before)

    @rule(pick=SEEDS)
    @precondition(lambda self: self.production != {None})
    def meddle_with_the_target(self, pick: int) -> None:
        self.sound.engines.deployer.activate(prepared(self.sound.engines, self.version(pick)))

    @rule(share=st.floats(0.1, 0.9))
    def meddle_with_the_registry(self, share: float) -> None:
        entries = self.sound.standing.entries
        part = entries[: max(1, int(share * len(entries)))] if entries else ()
        self.sound.engines.registry.follow(Standing.of(NAME, part))

    @rule(kill=KILLS)
    def recover(self, kill: tuple[int, bool] | None) -> None:
        with self.maybe_killed(kill):
            repair(self.desk.engines, NAME)
        repair(self.sound.engines, NAME)
        assert strays(self.sound.engines, NAME) == []
        assert lost(self.sound.engines, NAME) == []
        assert self.sound.served == self.sound.standing.production
        last = self.sound.standing.last_served
        assert (last and last.version) == self.sound.standing.production

    @invariant()
    def the_ledger_only_grows_and_its_chain_holds(self) -> None:
        if not hasattr(self, "sound"):
            return
        entries = self.sound.standing.entries
        assert entries[: len(self.seen)] == self.seen
        for before, entry in zip((None, *entries), entries, strict=False):
            assert entry.previous == (before.digest if before else None)
        self.seen = entries

    @invariant()
    def one_is_in_production_and_it_is_the_one(self) -> None:
        if not hasattr(self, "sound"):
            return
        standing = self.sound.standing
        there = [number for number, stage in standing.stages.items() if stage == "Production"]
        assert there == ([] if standing.production is None else [standing.production])
        assert {standing.production} == self.production
        assert set(standing.withdrawn) == self.withdrawn

    def _any(self) -> None:
        if not self.sound.standing.head:
            self.sound.register(1)

    def _make_ready(self, version: Any) -> None:
        """Let it have everything that is asked for, unless a person has refused it."""
        decide(self.sound.engines, version, self.sound.decision(version))
        if self.sound.policy.approval is not None:
            with suppress(Superseded):
                self.sound.ask(version)
                self.sound.answer(version)

    def _settle(self, follow: Callable[[], object], *, moved_to: int, was: int | None) -> None:
        """Read which of two it was; both are right, a third would not be."""
        now = self.sound.standing.production
        assert now in self.production
        if now == moved_to != was:
            follow()
        self.production = {now}


Promotions.TestCase.settings = settings(
    max_examples=80, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
test_whatever_is_killed_wherever = Promotions.TestCase
