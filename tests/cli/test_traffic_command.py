"""`mlops traffic` as a person uses it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from mlops_core.domain.trial import Tally, Verdict
from tests.cli.published import meets

if TYPE_CHECKING:
    from tests.cli.conftest import Terminal
    from tests.promotion.desk import Desk


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("2", "--end"), "--end ends the one trial there is: leave VERSION out"),
        (("--percent", "10"), "--percent says how a version is tried: name it"),
        (("--shadow",), "--shadow says how a version is tried: name it"),
        (("--end", "--wait", "5"), "leave it out with --end"),
        (("--requests", "5"), "give --wait SECONDS as well"),
        (("--reason", "x"), "name a VERSION to try, or --end the trial"),
        (("--end",), "say why with --reason"),
        (("two", "--percent", "10"), "'two' is no version"),
        (("2",), "with --percent 1 to 99"),
        (("2", "--shadow"), "with --percent 1 to 100"),
        (("2", "--percent", "100"), "--percent: give a whole number from 1 to 99, not '100'"),
        (("2", "--percent", "0.5"), "not '0.5'"),
        (("2", "--percent", "10"), "say why with --reason"),
        (("2", "--percent", "10", "--max-shift", "0"), "--max-shift: give a number above zero, or none"),
        (("2", "--percent", "10", "--max-errors", "1"), "--max-errors: give a number from 0 to below 1"),
        (("2", "--percent", "10", "--max-latency-ms", "fast"), "not 'fast'"),
        (("--wait", "soon"), "--wait: give a number above zero, not 'soon'"),
    ],
)
def test_words_that_cannot_be_meant_are_one_sentence(
    fresh: Terminal, words: tuple[str, ...], said: str
) -> None:
    found = fresh("traffic", "churn", *words)
    assert (found.code, found.out) == (2, "")
    assert said in found.err
    assert found.err.count("\n") == 1
    assert not fresh.home.exists()


def test_a_name_that_nobody_knows_is_refused(fresh: Terminal) -> None:
    found = fresh("traffic", "chrn")
    assert (found.code, "chrn" in found.err) == (2, True)


def test_before_the_first_release_nothing_answers(fresh: Terminal) -> None:
    assert fresh("traffic", "churn").out == "churn at its target, local: nothing\n"
    found = fresh("traffic", "churn", "--wait", "1")
    assert (found.code, "no version of churn is on trial" in found.err) == (2, True)


@pytest.mark.live
def test_a_trial_from_its_beginning_to_its_end(fresh: Terminal, desk: Desk) -> None:
    """Begun, looked at, waited for, ended; and in the history."""
    desk.delivered(1)
    desk.judged(2)
    words = ("traffic", "churn", "2", "--percent", "10", "--reason", "spring figures", "--actor", "eva")
    said = fresh(*words, "--max-shift", "none", "--max-errors", "0.02")
    assert (said.code, said.err) == (0, "")
    assert "\n  serving   version 1, digest " in said.out
    assert "answers 10 % of requests\n" in said.out
    assert "by eva: spring figures\n" in said.out
    facts = meets("traffic", fresh("traffic", "churn", "--json").out)
    assert (facts["target"], facts["state"], facts["serving"]["version"]) == ("local", "ready", 1)
    assert (facts["share"]["version"], facts["share"]["percent"], facts["share"]["ended"]) == (2, 10, None)
    assert facts["tried"]["bounds"] == {
        "error_rate": 0.02,
        "latency_ms": 250.0,
        "shift": None,
        "fewest": 100,
        "failures": 3,
    }
    assert "on trial" in fresh("models", "list", "churn").out
    said = fresh("traffic", "churn", "--wait", "0.2", "--requests", "5")
    assert (said.code, "an unknown number of requests in 0.2 s and not 5" in said.err) == (1, True)
    _tell(desk, requests=7)
    assert fresh("traffic", "churn", "--wait", "5", "--requests", "5").code == 0
    assert fresh("traffic", "churn", "--wait", "0.2").code == 0
    said = fresh("traffic", "churn", "--end", "--reason", "seen enough")
    assert (said.code, "version 2" in said.out) == (0, False)
    history = fresh("history", "churn").out
    assert "tried on 10 %" in history
    assert "trial ended by person" in history


@pytest.mark.live
def test_waiting_sees_that_the_target_takes_it_back(fresh: Terminal, desk: Desk) -> None:
    """Exit code 3; the ledger has the verdict, and the version comes back only when it is named."""
    desk.delivered(1)
    desk.judged(2)
    fresh("traffic", "churn", "2", "--shadow", "--percent", "100", "--reason", "a look")
    later = threading.Timer(0.5, _take_back, [desk])
    later.start()
    said = fresh("traffic", "churn", "--wait", "30")
    later.join()
    assert (said.code, said.err) == (3, "")
    assert "ended     version 2" in said.out
    assert "was taken back: its scores moved" in said.out
    assert "103 requests were given to it, 0 of them failed" in said.out
    assert fresh("traffic", "churn", "--wait", "30").code == 3
    assert fresh("history", "churn").out.count("taken back by its target") == 1
    assert "rolled back from" in fresh("models", "list", "churn").out
    assert fresh("promote", "churn", "2", "--reason", "it was the shop").code == 0
    assert desk.served == 2


@pytest.mark.live
def test_where_the_target_lost_the_trial_it_says_so(fresh: Terminal, desk: Desk) -> None:
    desk.delivered(1)
    desk.judged(2)
    fresh("traffic", "churn", "2", "--percent", "10", "--reason", "a look")
    desk.engines.deployer.withdraw("churn")
    said = fresh("traffic", "churn")
    assert said.err.startswith("mlops: by the ledger version 2 is on trial, at the target it is not")
    fresh("traffic", "churn", "--end", "--reason", "it was lost")
    assert fresh("traffic", "churn").err == ""


def _share(desk: Desk) -> str:
    on_trial = desk.engines.deployer.on_trial("churn")
    assert on_trial is not None
    return str(on_trial.share)


def _tell(desk: Desk, requests: int) -> None:
    desk.engines.deployer.tell("churn", "0123abcd", Tally(share=_share(desk), requests=requests))


def _take_back(desk: Desk) -> None:
    why = "its scores moved from those of what serves"
    verdict = Verdict(share=_share(desk), requests=103, why=why, at=datetime.now(UTC), by="server 1")
    desk.engines.deployer.take_back("churn", verdict)
