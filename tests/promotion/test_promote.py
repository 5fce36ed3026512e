"""To Production only when everything that was asked for holds at that moment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from mlops_core.adapters.deployer.local import LocalDeployer
from mlops_core.domain.gates import NonInferiority
from mlops_core.domain.ledger import Draft, Promoted
from mlops_core.domain.standing import Standing
from mlops_core.errors import BadInput, NotFound, Superseded, Unavailable
from mlops_core.promotion import decide, prepared, promote, registered
from tests.promotion.desk import NAME, POLICY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlops_core.domain.ledger import Entry
    from mlops_core.domain.release import Release
    from mlops_core.ports import Ledger
    from tests.promotion.desk import Desk


class Crowded:
    """A ledger into which somebody else writes between a reading and the next appending, once."""

    def __init__(self, ledger: Ledger, somebody: Callable[[], object]) -> None:
        self._ledger, self._somebody = ledger, somebody
        self._let_in = False
        self.entries, self.names = ledger.entries, ledger.names

    def append(self, name: str, drafts: Sequence[Draft], *, after: int) -> tuple[Entry, ...]:
        if not self._let_in:
            self._let_in = True
            self._somebody()
        return self._ledger.append(name, drafts, after=after)


def test_a_version_that_passed_goes_to_production_and_is_served(desk: Desk) -> None:
    """Everything that happened is in the ledger, in its order."""
    (version,) = desk.delivered(1)
    assert desk.stages == {1: "Production"}
    assert desk.served == 1
    assert desk.kinds == [("registered", 1), ("decided", 1), ("promoted", 1), ("deployed", 1)]
    assert desk.standing.champion == version.digest


def test_the_version_before_is_archived_in_the_same_step(desk: Desk) -> None:
    desk.delivered(1, 2)
    promoted, archived = desk.standing.entries[-3:-1]
    assert desk.stages == {1: "Archived", 2: "Production"}
    assert (promoted.event.kind, archived.event.kind) == ("promoted", "archived")
    assert promoted.at == archived.at


def test_it_is_written_who_did_it_and_why(desk: Desk) -> None:
    desk.promote(desk.judged(1), actor=" eva ", reason="better\n")
    entry = desk.standing.since(1)
    assert entry is not None
    assert (entry.actor, entry.reason) == ("eva", "better")
    assert isinstance(entry.event, Promoted)
    assert entry.event.decision == desk.standing.decisions[1].digest


@pytest.mark.parametrize("words", [{"actor": " "}, {"reason": ""}])
def test_nobody_promotes_without_a_name_or_a_reason(desk: Desk, words: dict[str, str]) -> None:
    version = desk.judged(1)
    with pytest.raises(BadInput, match=f"--{next(iter(words))}"):
        desk.promote(version, **words)
    assert desk.stages == {1: "Staging"}
    assert desk.served is None


def test_promoting_again_changes_nothing(desk: Desk) -> None:
    (version,) = desk.delivered(1)
    before = desk.standing.head
    assert desk.promote(version) == desk.engines.deployer.current(NAME)
    assert desk.standing.head == before


def test_a_version_that_nobody_decided_on_is_refused(desk: Desk) -> None:
    with pytest.raises(NotFound, match=r"has not decided on churn version 1.*mlops run churn"):
        desk.promote(desk.register(1))
    assert desk.stages == {1: "Staging"}


def test_a_version_that_was_rejected_is_refused_with_the_reason(desk: Desk) -> None:
    with pytest.raises(Superseded, match="the gate rejected churn version 1: drift: drift is too bad"):
        desk.promote(desk.judged(1, "drift"))
    assert desk.stages == {1: "Staging"}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"model_digest": "0" * 64}, "is not the model that the gate decided on"),
        ({"code": "0" * 64}, "the code changed"),
        ({"policy": POLICY.model_copy(update={"floor": 0.1})}, "the gate's policy changed"),
        ({"champion": 7, "champion_digest": "0" * 64}, "was compared with version 7 in Production"),
        ({"champion": None, "champion_digest": None}, "was compared with no version in Production"),
    ],
)
def test_a_decision_on_something_else_is_refused_naming_what(
    desk: Desk, changes: dict[str, Any], named: str
) -> None:
    """Each thing that a decision rests on, changed by itself."""
    desk.delivered(1)
    version = desk.register(2)
    decide(desk.engines, version, desk.decision(version, **changes))
    before = desk.standing.entries
    with pytest.raises(Superseded, match=f"{named}.*mlops run churn"):
        desk.promote(version)
    assert desk.standing.entries == before
    assert desk.served == 1


def test_a_policy_that_changed_after_the_decision_is_noticed(desk: Desk) -> None:
    version = desk.judged(1)
    changed = desk.policy.model_copy(update={"comparison": NonInferiority()})
    with pytest.raises(Superseded, match="policy changed"):
        desk.promote(version, policy=changed)


def test_a_floor_that_one_run_was_told_is_still_the_policy_of_the_definitions(desk: Desk) -> None:
    version = desk.register(1)
    decide(desk.engines, version, desk.decision(version, policy=desk.policy.with_floor(0.2)))
    assert desk.promote(version).version == 1


def test_a_champion_that_came_after_the_decision_is_noticed(desk: Desk) -> None:
    """Two were compared with the same champion: the second to come must be compared with the first."""
    desk.delivered(1)
    second, third = desk.judged(2), desk.judged(3)
    desk.promote(second)
    with pytest.raises(Superseded, match="compared with version 1 in Production, but version 2 is there now"):
        desk.promote(third)
    assert desk.stages == {1: "Archived", 2: "Production", 3: "Staging"}


def test_a_champion_that_came_while_it_was_promoted_is_noticed(desk: Desk) -> None:
    """Somebody else promotes between the looking and the writing: it is looked at once more."""
    desk.delivered(1)
    second, third = desk.judged(2), desk.judged(3)
    ledger = desk.engines.ledger

    def somebody() -> None:
        desk.engines.ledger = ledger
        promote(desk.engines, second, desk.policy, actor="eva", reason="first")

    desk.engines.ledger = Crowded(ledger, somebody)
    with pytest.raises(Superseded, match="version 2 is there now"):
        desk.promote(third)
    assert desk.stages == {1: "Archived", 2: "Production", 3: "Staging"}


def test_who_is_overtaken_before_the_target_is_switched_is_told(desk: Desk) -> None:
    """Promoted, but another one right after it: that one serves, and nobody is told otherwise."""
    second, third = desk.judged(2), desk.register(3)
    activate = desk.engines.deployer.activate

    def overtaken(release: Release) -> None:
        desk.engines.deployer.activate = activate  # once only
        decide(desk.engines, third, desk.decision(third))
        promote(desk.engines, third, desk.policy, actor="eva", reason="newer")
        activate(release)

    desk.engines.deployer.activate = overtaken  # somebody is faster
    with pytest.raises(Superseded, match="right after it version 2, which serves now"):
        desk.promote(second)
    assert desk.stages == {1: "Archived", 2: "Production"}
    assert desk.served == 2


def test_an_entry_that_came_in_between_and_changes_nothing_does_not_hinder(desk: Desk) -> None:
    """Somebody registers meanwhile: the promotion is written after it."""
    version, ledger = desk.judged(1), desk.engines.ledger

    def somebody() -> None:
        desk.engines.ledger = ledger
        desk.register(2)

    desk.engines.ledger = Crowded(ledger, somebody)
    desk.promote(version)
    assert desk.stages == {1: "Production", 2: "Staging"}


def test_a_ledger_that_never_pauses_is_given_up(desk: Desk) -> None:
    """Somebody writes before every single attempt: that is said, and nothing was done."""
    version, ledger = desk.judged(1), desk.engines.ledger

    class Busy(Crowded):
        def append(self, name: str, drafts: Sequence[Draft], *, after: int) -> tuple[Entry, ...]:
            first = ledger.entries(name)[0]
            again = Draft(**{field: getattr(first, field) for field in Draft.model_fields})
            ledger.append(name, [again], after=after)
            return super().append(name, drafts, after=after)

    desk.engines.ledger = Busy(ledger, desk.engines.workspace.home.exists)
    with pytest.raises(Unavailable, match="run the same again"):
        desk.promote(version)
    assert desk.stages == {1: "Staging"}
    assert desk.served is None


def test_of_eight_promoters_at_once_one_wins_against_each_champion(desk: Desk) -> None:
    """Compared with the same champion, one wins; the others are told, and the target serves it."""
    desk.delivered(1)
    versions = [desk.judged(seed) for seed in range(2, 10)]

    def attempt(number: int) -> int | str:
        try:
            return desk.promote(versions[number]).version
        except Superseded as error:
            return str(error)

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(attempt, range(8)))
    winners = [one for one in outcomes if isinstance(one, int)]
    assert winners == [desk.standing.production]
    assert desk.served == desk.standing.production
    assert list(desk.stages.values()).count("Production") == 1
    assert [kind for kind, _ in desk.kinds].count("promoted") == 2
    assert desk.engines.registry.differences(desk.standing) == []


def test_at_every_moment_of_a_race_exactly_one_is_in_production(desk: Desk) -> None:
    """Eight promote whatever is best against whatever is there, again and again."""
    desk.delivered(1)
    versions = [desk.register(seed) for seed in range(2, 10)]

    def attempt(number: int) -> None:
        for _ in range(5):
            try:
                decide(desk.engines, versions[number], desk.decision(versions[number]))
                desk.promote(versions[number], named=True)
            except Superseded:
                continue

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(attempt, range(8)))
    entries = desk.standing.entries
    for count in range(5, len(entries) + 1):
        if count < len(entries) and entries[count].event.kind == "archived":
            continue  # it came in one step with the entry before
        stages = Standing.of(NAME, entries[:count]).stages
        assert list(stages.values()).count("Production") == 1
    assert desk.served == desk.standing.production
    assert desk.engines.registry.differences(desk.standing) == []


def test_a_failed_check_is_waived_by_its_name_and_that_is_written(desk: Desk) -> None:
    desk.promote(desk.judged(1, "drift", "latency"), waive=("latency", "drift"))
    entry = desk.standing.since(1)
    assert entry is not None
    assert isinstance(entry.event, Promoted)
    assert entry.event.waived == ("drift", "latency")


def test_a_check_that_nobody_named_still_stands(desk: Desk) -> None:
    with pytest.raises(Superseded, match="rejected churn version 1: latency"):
        desk.promote(desk.judged(1, "drift", "latency"), waive=("drift",))


@pytest.mark.parametrize("name", ["floor", "everything", "*"])
def test_only_what_failed_can_be_waived(desk: Desk, name: str) -> None:
    with pytest.raises(NotFound, match="is no failed check of churn version 1: failed are 'drift'"):
        desk.promote(desk.judged(1, "drift"), waive=(name, "drift"))


def test_a_release_that_was_changed_before_it_served_is_made_anew(desk: Desk) -> None:
    """What lies ready is compared with what is registered: nobody decided on another threshold."""
    home = desk.engines.workspace.home
    desk.engines.deployer = LocalDeployer(home=home, trainer=desk.engines.trainer)
    version = desk.judged(1)
    manifest = home / prepared(desk.engines, version).uri / "release.json"
    manifest.write_text(manifest.read_text().replace('"threshold": 0.4', '"threshold": 0.01'))
    assert desk.promote(version).threshold == version.threshold


def test_a_version_that_does_not_exist_is_named_with_those_that_do(desk: Desk) -> None:
    desk.delivered(1, 2)
    with pytest.raises(NotFound, match="churn has no version 9: there are 1, 2"):
        registered(desk.engines, NAME, 9)
