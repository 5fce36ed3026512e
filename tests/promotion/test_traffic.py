"""A version on trial: what it needs, what the ledger keeps of it, and how it ends."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from mlops_core.domain.ledger import TrialEnded, Tried
from mlops_core.domain.traffic import Bounds
from mlops_core.domain.trial import Tally, Verdict
from mlops_core.errors import BadInput, NotFound, Superseded, Unavailable
from mlops_core.promotion import settled, share, standing_of, withdraw
from tests.promotion.desk import NAME

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_core.domain.registry import ModelVersion
    from mlops_core.domain.traffic import TargetStatus
    from tests.promotion.desk import Desk


def tried(desk: Desk, version: ModelVersion, percent: int = 10, **options: Any) -> TargetStatus:
    words = {"actor": "eva", "reason": "a look at it", **options}
    return share(desk.engines, version, desk.policy, percent=percent, **words)


def taken_back(desk: Desk, why: str = "3 of its requests in a row failed") -> None:
    """What a server that follows does with a bad release."""
    deployer = desk.engines.deployer
    on_trial = deployer.on_trial(NAME)
    said = {"share": on_trial.share, "requests": 41, "errors": 3, "by": "server 1", "at": datetime.now(UTC)}
    deployer.take_back(NAME, Verdict(why=why, **said))


def events(desk: Desk) -> list[Any]:
    """Those of trials alone."""
    return [one.event for one in desk.standing.entries if isinstance(one.event, Tried | TrialEnded)]


def test_a_version_that_may_be_promoted_is_tried_on_callers(desk: Desk) -> None:
    """The ledger has how and why, Production stays as it is, and the same again changes nothing."""
    desk.delivered(1)
    second = desk.judged(2)
    for _ in range(2):
        status = tried(desk, second, bounds=Bounds(shift=0.3))
        assert status.share is not None
        assert (status.share.version, status.share.percent, desk.served) == (2, 10, 1)
    entry = desk.standing.trial
    assert entry is not None
    assert (entry.version, entry.actor, entry.reason) == (2, "eva", "a look at it")
    (event,) = events(desk)
    assert (event.percent, event.shadow, event.bounds.shift) == (10, False, 0.3)
    assert desk.stages == {1: "Production", 2: "Staging"}


def test_another_share_takes_its_place(desk: Desk) -> None:
    desk.delivered(1)
    second = desk.judged(2)
    tried(desk, second)
    status = tried(desk, second, 50)
    assert status.share is not None
    assert status.share.percent == 50
    assert [event.kind for event in events(desk)] == ["tried", "trial ended", "tried"]
    assert events(desk)[1].by == "another trial"


def test_what_may_not_be_promoted_is_not_shown_to_callers(desk: Desk) -> None:
    """Rejected, not decided on, or waiting for a person; nothing is entered, and nothing is shared."""
    desk.delivered(1)
    with pytest.raises(Superseded, match="the gate rejected churn version 2: drift: drift is too bad"):
        tried(desk, desk.judged(2, "drift"))
    with pytest.raises(NotFound, match="has not decided on churn version 3"):
        tried(desk, desk.register(3))
    assert events(desk) == []
    assert desk.engines.deployer.status(NAME).share is None


def test_callers_see_a_version_only_once_a_person_approved_it(asking: Desk) -> None:
    first = asking.judged(1)
    asking.ask(first)
    asking.answer(first)
    asking.promote(first)
    second = asking.judged(2)
    asking.ask(second)
    with pytest.raises(Superseded, match="when a person approves it"):
        tried(asking, second)
    assert tried(asking, second, shadow=True).share is not None
    asking.answer(second)
    assert tried(asking, second).share is not None


def test_a_shadow_may_be_any_registered_version(desk: Desk) -> None:
    """No caller sees it, so the gate is not asked."""
    desk.delivered(1)
    for version in (desk.judged(2, "drift"), desk.register(3)):
        status = tried(desk, version, 100, shadow=True)
        assert status.share is not None
        assert (status.share.version, status.share.shadow) == (version.number, True)


def test_there_are_callers_to_try_a_version_on_once_one_is_in_production(desk: Desk) -> None:
    first = desk.judged(1)
    with pytest.raises(NotFound, match="no version of churn is in Production"):
        tried(desk, first)
    desk.promote(first)
    with pytest.raises(BadInput, match="version 1 is in Production already"):
        tried(desk, first)


def test_a_trial_is_beside_what_is_in_production(desk: Desk) -> None:
    """A target that went astray is mended first."""
    desk.delivered(1, 2)
    desk.engines.deployer.activate(desk.engines.deployer.find(NAME, 1, desk.standing.models[1]))
    with pytest.raises(Superseded, match=r"but version 1 is served: mend that first, with `mlops registry"):
        tried(desk, desk.judged(3))


def test_a_person_ends_a_trial(desk: Desk) -> None:
    """With how many requests it had, as far as the target tells; and once."""
    desk.delivered(1)
    tried(desk, desk.judged(2))
    deployer: Any = desk.engines.deployer
    deployer.tell(NAME, "one", Tally(share=deployer.on_trial(NAME).share, requests=7, errors=1))
    for _ in range(2):
        standing = withdraw(desk.engines, NAME, actor="bo", reason="seen enough")
        assert standing.trial is None
        assert deployer.status(NAME).share is None
    assert events(desk)[1:] == [TrialEnded(by="person", requests=7, errors=1)]
    assert desk.standing.withdrawn == {}


def test_ending_is_finished_by_the_next_attempt(desk: Desk) -> None:
    """The target first: callers come before the books."""
    desk.delivered(1)
    tried(desk, desk.judged(2))
    desk.engines.deployer.withdraw(NAME)  # and killed
    assert desk.standing.trial is not None
    withdraw(desk.engines, NAME, actor="bo", reason="seen enough")
    assert events(desk)[1:] == [TrialEnded(by="person")]


def test_a_promotion_ends_the_trial(desk: Desk) -> None:
    desk.delivered(1)
    second = desk.judged(2)
    tried(desk, second)
    desk.promote(second)
    assert [event.kind for event in events(desk)] == ["tried", "trial ended"]
    assert (events(desk)[1].by, desk.standing.trial, desk.served) == ("promotion", None, 2)
    assert desk.engines.deployer.status(NAME).share is None


def test_a_rollback_ends_the_trial(desk: Desk) -> None:
    desk.delivered(1, 2)
    tried(desk, desk.judged(3))
    desk.roll_back()
    assert (desk.served, desk.standing.trial, events(desk)[1].by) == (1, None, "promotion")
    assert 3 not in desk.standing.withdrawn


def test_what_the_target_takes_back_is_entered_once_by_whoever_looks(desk: Desk) -> None:
    """With its verdict; the version is withdrawn, and comes back only when it is named."""
    desk.delivered(1)
    second = desk.judged(2)
    tried(desk, second)
    assert settled(desk.engines, NAME).trial is not None
    taken_back(desk)
    for _ in range(2):
        assert settled(desk.engines, NAME).trial is None
    assert events(desk)[1:] == [TrialEnded(by="target", requests=41, errors=3)]
    entry = desk.standing.withdrawn[2]
    assert (entry.actor, entry.reason) == ("target memory", "3 of its requests in a row failed")
    with pytest.raises(Superseded, match=r"rolled back from by target memory .* in a row failed"):
        desk.promote(second)
    desk.promote(second, named=True)
    assert (desk.served, desk.standing.withdrawn) == (2, {})


def test_a_promotion_by_itself_sees_what_nobody_looked_at(desk: Desk) -> None:
    """A nightly run does not promote what the target has just taken back."""
    desk.delivered(1)
    second = desk.judged(2)
    tried(desk, second)
    taken_back(desk)
    with pytest.raises(Superseded, match="comes back only when it is named"):
        desk.promote(second)
    assert desk.served == 1


def test_a_withdrawn_version_is_tried_again_when_it_is_named(desk: Desk) -> None:
    desk.delivered(1)
    second = desk.judged(2)
    tried(desk, second)
    taken_back(desk)
    with pytest.raises(Superseded, match="comes back only when it is named"):
        tried(desk, second)
    status = tried(desk, second, named=True)
    assert status.share is not None
    assert (status.share.ended, 2 in desk.standing.withdrawn) == (None, True)


def test_what_the_target_refuses_is_entered_as_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """So the ledger has nothing on trial that is nowhere; what is only out of reach stays, to be finished."""
    desk.delivered(1)
    second = desk.judged(2)

    def out_of_reach(*_: Any, **__: Any) -> None:
        raise Unavailable("no answer")

    def no_shadow(*_: Any, **__: Any) -> None:
        raise BadInput("this target has no shadow")

    with monkeypatch.context() as patch:
        patch.setattr(type(desk.engines.deployer), "share", out_of_reach)
        with pytest.raises(Unavailable):
            tried(desk, second, shadow=True)
        assert desk.standing.trial is not None
        patch.setattr(type(desk.engines.deployer), "share", no_shadow)
        with pytest.raises(BadInput, match="no shadow"):
            tried(desk, second, shadow=True)
    assert desk.standing.trial is None
    assert events(desk)[-1].by == "refused"
    assert tried(desk, second).share is not None


@pytest.mark.parametrize("what", ["share", "withdraw"])
def test_where_somebody_else_delivers_callers_are_theirs(desk: Desk, what: str) -> None:
    desk.delivered(1)
    second = desk.judged(2)
    desk.engines.dispatcher = object()
    deeds: dict[str, Callable[[], object]] = {
        "share": lambda: tried(desk, second),
        "withdraw": lambda: withdraw(desk.engines, NAME, actor="bo", reason="enough"),
    }
    with pytest.raises(BadInput, match=r"handed over \(MLOPS_DELIVERY\)"):
        deeds[what]()
    assert standing_of(desk.engines, NAME).trial is None


def test_nobody_tries_a_version_without_a_reason(desk: Desk) -> None:
    desk.delivered(1)
    with pytest.raises(BadInput, match="--reason"):
        tried(desk, desk.judged(2), reason=" ")
