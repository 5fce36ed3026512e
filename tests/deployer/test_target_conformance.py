"""What every target does for callers, whatever serves there; docs/targets.md says which of them are fakes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlops_core.domain.traffic import Bounds
from mlops_core.errors import BadInput, IntegrityError, MlopsError, NotFound, Unavailable
from tests.deployer.rig import Killed
from tests.every_point import one_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_core.domain.release import Bundle, Release
    from mlops_core.ports import Deployer
    from tests.deployer.rig import Rig

    MakeBundle = Callable[..., Bundle]

CALLS = 200
MOST_CALLS = 60
"""Calls to a target within one of ours: a sweep over the places to be killed at has an end."""


@pytest.fixture
def two(rig: Rig, make_bundle: MakeBundle) -> tuple[Release, Release]:
    """Two releases, the first of which serves."""
    deployer = rig.deployer
    first, second = deployer.prepare(make_bundle(1)), deployer.prepare(make_bundle(2))
    deployer.activate(first)
    return first, second


def test_nothing_answers_before_the_first_release(rig: Rig) -> None:
    status = rig.deployer.status("churn")
    assert (status.state, status.serving, status.share) == ("nothing", None, None)


def test_what_is_activated_answers_all_callers(rig: Rig, two: tuple[Release, Release]) -> None:
    """Also to a deployer that never heard of it; and forward and back again."""
    first, second = two
    for release in (first, second, first):
        rig.deployer.activate(release)
        status = rig.deployer.status("churn")
        assert status.state == "ready"
        assert status.serving is not None
        assert (status.serving.version, status.serving.digest) == (release.version, release.digest)
        assert rig.deployer.current("churn") == release
        assert rig.call("churn", 5) == {release.version: 5}


def test_a_model_of_a_number_answers_after_one_of_probabilities(
    rig: Rig, two: tuple[Release, Release], numbers: Bundle
) -> None:
    """And is proved by the target's own way to it, where the output has another name."""
    release = rig.deployer.prepare(numbers)
    assert release.threshold is None
    rig.deployer.activate(release)
    assert rig.deployer.verify(release) <= numbers.probes.tolerance
    assert rig.call("churn", 3) == {3: 3}
    rig.deployer.activate(two[0])
    assert rig.deployer.verify(two[0]) <= two[0].probes.tolerance


def test_activating_what_serves_changes_nothing(rig: Rig, two: tuple[Release, Release]) -> None:
    before = rig.deployer.status("churn")
    rig.deployer.activate(two[0])
    assert rig.deployer.status("churn") == before


def test_a_share_of_the_callers_is_answered_by_the_release_on_trial(
    rig: Rig, two: tuple[Release, Release]
) -> None:
    """About that share, and the others by what serves, which stays current."""
    rig.deployer.share(two[1], 30)
    answers = rig.call("churn", CALLS)
    assert set(answers) == {1, 2}
    assert 0.15 * CALLS < answers[2] < 0.45 * CALLS  # 200 draws at 30 %: outside once in some millions
    share = rig.deployer.status("churn").share
    assert share is not None
    assert (share.version, share.digest, share.percent, share.shadow) == (2, two[1].digest, 30, False)
    assert share.ended is None
    assert rig.deployer.current("churn") == two[0]


def test_the_same_share_again_changes_nothing_and_another_takes_its_place(
    rig: Rig, two: tuple[Release, Release]
) -> None:
    for percent in (10, 10, 99):
        rig.deployer.share(two[1], percent)
        share = rig.deployer.status("churn").share
        assert share is not None
        assert share.percent == percent
    assert rig.call("churn", CALLS)[2] > 0.9 * CALLS


def test_a_share_is_ended(rig: Rig, two: tuple[Release, Release]) -> None:
    """However often, and also where there was none."""
    rig.deployer.withdraw("churn")
    rig.deployer.share(two[1], 50)
    for _ in range(2):
        rig.deployer.withdraw("churn")
        assert rig.deployer.status("churn").share is None
        assert rig.call("churn", 20) == {1: 20}


def test_a_share_of_nothing_is_ended_without_a_word(rig: Rig) -> None:
    rig.deployer.withdraw("churn")
    assert rig.deployer.status("churn").state == "nothing"


@pytest.mark.parametrize("promoted", [0, 1])
def test_promoting_ends_the_share(rig: Rig, two: tuple[Release, Release], promoted: int) -> None:
    """The one on trial, or, after a rollback, the one that served all along."""
    rig.deployer.share(two[1], 50, bounds=Bounds(fewest=1000))
    rig.deployer.activate(two[promoted])
    assert rig.deployer.status("churn").share is None
    assert rig.call("churn", 20) == {promoted + 1: 20}


def test_callers_never_get_the_answers_of_a_shadow(rig: Rig, two: tuple[Release, Release]) -> None:
    """Or the target says that it has none, and nothing changes."""
    if rig.knows_shadow:
        rig.deployer.share(two[1], 100, shadow=True)
        share = rig.deployer.status("churn").share
        assert share is not None
        assert (share.version, share.percent, share.shadow) == (2, 100, True)
    else:
        with pytest.raises(BadInput, match="shadow"):
            rig.deployer.share(two[1], 100, shadow=True)
        assert rig.deployer.status("churn").share is None
    assert rig.call("churn", 40) == {1: 40}


@pytest.mark.parametrize(
    ("percent", "shadow"), [(0, False), (100, False), (-1, False), (0, True), (101, True)]
)
def test_a_share_that_is_none_is_refused(
    rig: Rig, two: tuple[Release, Release], percent: int, shadow: bool
) -> None:
    with pytest.raises(BadInput, match=f"not {percent}"):
        rig.deployer.share(two[1], percent, shadow=shadow)
    assert rig.deployer.status("churn").share is None


def test_the_release_that_serves_is_not_tried(rig: Rig, two: tuple[Release, Release]) -> None:
    with pytest.raises(BadInput, match="version 1 serves already"):
        rig.deployer.share(two[0], 10)


def test_there_is_nothing_to_share_with_before_the_first_release(rig: Rig, make_bundle: MakeBundle) -> None:
    deployer = rig.deployer
    release = deployer.prepare(make_bundle())
    with pytest.raises(NotFound, match="nothing of churn serves yet"):
        deployer.share(release, 10)


def test_what_was_never_prepared_is_neither_tried_nor_verified(
    rig: Rig, two: tuple[Release, Release]
) -> None:
    strange = two[1].model_copy(update={"version": 7, "uri": two[1].uri.replace("/2-", "/7-")})
    with pytest.raises(NotFound, match="version 7"):
        rig.deployer.share(strange, 10)
    with pytest.raises(NotFound, match="version 7"):
        rig.deployer.verify(strange)
    assert rig.call("churn", 5) == {1: 5}


def test_a_release_is_verified_wherever_it_is(rig: Rig, two: tuple[Release, Release]) -> None:
    """Served, only prepared, on trial."""
    assert rig.deployer.verify(two[0]) <= two[0].probes.tolerance
    assert rig.deployer.verify(two[1]) <= two[1].probes.tolerance
    rig.deployer.share(two[1], 10)
    assert rig.deployer.verify(two[1]) <= two[1].probes.tolerance


def test_a_tampered_release_is_never_served(rig: Rig, two: tuple[Release, Release]) -> None:
    """One byte: refused by name however it is asked for, and callers keep what they have."""
    rig.tamper(two[1])
    refusals: tuple[Callable[[Deployer], object], ...] = (
        lambda deployer: deployer.find("churn", 2, two[1].digest),
        lambda deployer: deployer.activate(two[1]),
        lambda deployer: deployer.share(two[1], 10),
        lambda deployer: deployer.verify(two[1]),
    )
    for refused in refusals:
        with pytest.raises(IntegrityError, match=r"model\.\w+"):
            refused(rig.deployer)
    assert rig.call("churn", 5) == {1: 5}
    assert rig.deployer.status("churn").share is None


def test_what_serves_is_found_out_when_it_was_tampered_with(rig: Rig, two: tuple[Release, Release]) -> None:
    rig.tamper(two[0])
    with pytest.raises(IntegrityError, match=r"model\.\w+"):
        rig.deployer.current("churn")


def test_a_tampered_release_is_made_again_from_the_registry(
    rig: Rig, two: tuple[Release, Release], make_bundle: MakeBundle
) -> None:
    """The very same one, so that what the ledger knows of it still holds."""
    rig.tamper(two[0])
    assert rig.deployer.prepare(make_bundle(1)) == two[0]
    assert rig.deployer.current("churn") == two[0]


def test_a_target_that_answers_otherwise_is_found_out(rig: Rig, two: tuple[Release, Release]) -> None:
    """An image with another library, say: what served before serves again, and no trial goes on."""
    lying = rig.lying(two[1])
    if lying is None:
        pytest.skip("the files are loaded by the process that asks: there is nobody between")
    with lying:
        with pytest.raises(IntegrityError, match=r"version 2 does not predict .*[Vv]ersion 1 serves again"):
            rig.deployer.activate(two[1])
        assert rig.call("churn", 5) == {1: 5}
        with pytest.raises(IntegrityError, match="does not predict as it did at training"):
            rig.deployer.share(two[1], 50)
        assert rig.deployer.status("churn").share is None
    rig.deployer.activate(two[1])
    assert rig.call("churn", 5) == {2: 5}


def test_what_goes_wrong_at_the_target_is_said_and_nothing_changes(
    rig: Rig, two: tuple[Release, Release]
) -> None:
    """Missing credentials, a quota, a time-out: each in a sentence; the same call afterwards succeeds."""
    if not rig.faults():
        pytest.skip("nobody refuses but a disk; see test_interruption.py")
    for fault in rig.faults():
        with fault.on(), pytest.raises(fault.raises, match=fault.says) as caught:
            rig.deployer.activate(two[1])
        assert isinstance(caught.value, BadInput | Unavailable | MlopsError), fault.name
        assert set(rig.call("churn", 5)) <= {1, 2}, fault.name
        rig.deployer.activate(two[1])
        assert rig.call("churn", 5) == {2: 5}, fault.name
        rig.deployer.activate(two[0])


def test_killed_at_any_call_the_next_one_finishes(rig: Rig, two: tuple[Release, Release]) -> None:
    """Callers get the one or the other in between, and after the next attempt just what was wanted."""
    for calls in range(0, MOST_CALLS, one_in(3)):
        dying = rig.dies_after(calls)
        if dying is None:
            pytest.skip("no call to anybody else to be killed in; see test_interruption.py")
        try:
            with dying:
                rig.deployer.activate(two[1])
        except Killed:
            assert set(rig.call("churn", 5)) <= {1, 2}
            rig.deployer.activate(two[1])
            done = False
        else:
            done = True
        assert rig.call("churn", 5) == {2: 5}
        assert rig.deployer.status("churn").state == "ready"
        if done:
            assert calls > 0
            return
        rig.deployer.activate(two[0])
    pytest.fail(f"activating takes more than {MOST_CALLS} calls")


def test_killed_at_any_call_of_a_share_the_next_one_finishes(rig: Rig, two: tuple[Release, Release]) -> None:
    for calls in range(0, MOST_CALLS, one_in(3)):
        dying = rig.dies_after(calls)
        if dying is None:
            pytest.skip("no call to anybody else to be killed in; see test_interruption.py")
        try:
            with dying:
                rig.deployer.share(two[1], 50)
                return
        except Killed:
            assert set(rig.call("churn", 5)) <= {1, 2}
        rig.deployer.share(two[1], 50)
        assert set(rig.call("churn", 40)) == {1, 2}
        rig.deployer.withdraw("churn")
        assert rig.call("churn", 5) == {1: 5}
    pytest.fail(f"a share takes more than {MOST_CALLS} calls")


def test_names_do_not_share_callers(rig: Rig, two: tuple[Release, Release], make_bundle: MakeBundle) -> None:
    deployer = rig.deployer
    deployer.activate(deployer.prepare(make_bundle(3, name="returns")))
    deployer.share(two[1], 50)
    assert rig.call("returns", 5) == {3: 5}
    assert rig.deployer.status("returns").share is None
