"""`mlops registry verify` as a person or a schedule uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlops_core.domain.standing import Standing
from mlops_core.promotion import record
from mlops_core.promotion.record import draft
from tests.cli.published import meets

if TYPE_CHECKING:
    from tests.cli.conftest import Terminal
    from tests.promotion.desk import Desk

pytestmark = pytest.mark.live  # the default suite stays under two minutes


def test_what_was_moved_by_hand_is_told_and_repaired(fresh: Terminal, desk: Desk) -> None:
    desk.delivered(1, 2)
    entries = desk.standing.entries
    desk.engines.registry.follow(Standing.of("churn", entries[:-3]))
    said = fresh("registry", "verify", "churn", "--check")
    assert said.code == 1
    assert "churn: is astray\n  - " in said.out
    assert "repair it with: mlops registry verify churn" in said.out
    (found,) = meets("registry verify", fresh("registry", "verify", "--check", "--json").out).values()
    assert (found["repaired"], found["lost"], found["error"]) == (False, [], None)
    said = fresh("registry", "verify")
    assert said.code == 0
    assert said.out.startswith("churn: was astray and is repaired\n")
    assert fresh("registry", "verify", "--check").out == "churn: registry and target are as the ledger says\n"
    assert desk.standing.entries == entries


def test_a_target_that_serves_nothing_serves_again(fresh: Terminal, desk: Desk) -> None:
    desk.delivered(1)
    (fresh.home / "releases" / "churn" / "current.json").unlink()
    said = fresh("registry", "verify", "churn", "--check")
    assert (said.code, "version 1 is in Production, but nothing is served" in said.out) == (1, True)
    assert fresh("registry", "verify", "churn").code == 0
    assert desk.served == 1


def test_a_version_that_the_registry_lost_is_told(fresh: Terminal, desk: Desk) -> None:
    """That cannot be repaired, so the exit code stays 1."""
    (version,) = desk.delivered(1)
    gone = version.model_copy(update={"number": 7, "digest": "0" * 64})
    event = desk.standing.entries[0].event
    record(desk.engines.ledger, "churn", lambda _: [draft(gone, event, "ana", "it was there")])
    for words in (["--check"], []):
        said = fresh("registry", "verify", "churn", *words)
        assert said.code == 1
        assert "churn: LOST: version 7 is in the ledger, but no longer in the registry" in said.out


def test_a_ledger_begins_anew_where_it_was_lost(fresh: Terminal, desk: Desk) -> None:
    """Also after a run that found the registry following another ledger, and left an entry."""
    first, second = desk.delivered(1, 2)
    for file in fresh.home.glob("ledger.db*"):
        file.unlink()
    said = fresh("registry", "verify", "churn")
    assert said.code == 1
    assert "--adopt --reason …" in said.out
    event = {"kind": "registered", "run_id": first.run_id, "training_set": "", "definitions": "", "code": ""}
    entry = draft(first, event, "ana", "a run that was refused")  # type: ignore[arg-type]  # parsed by `Draft`
    desk.engines.ledger.append("churn", [entry], after=0)
    words = ("registry", "verify", "churn", "--adopt")
    assert "say why with --reason" in fresh(*words).err
    said = fresh(*words, "--reason", "the disk is gone", "--actor", "eva", "--json")
    told = meets("registry verify --adopt", said.out)["churn"]
    assert (said.code, len(told["stages"]), told["production"]) == (0, 2, second.number)
    assert fresh("registry", "verify", "churn", "--check").code == 0
    assert "adopted in Production" in fresh("history", "churn").out
    said = fresh("history", "churn", "--at", desk.standing.entries[-1].at.isoformat())
    assert "found there when the ledger began, entered by eva" in said.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["verfy"], "did you mean 'verify'?"),
        (["verify", "churn", "--chek"], "did you mean --check?"),
        (["verify", "churn", "--reason", "why not"], "--reason goes with --adopt"),
        (["verify", "--adopt", "--reason", "lost"], "name it, without --check"),
        (["verify", "churn", "--adopt", "--reason", "for fun"], "there is nothing to adopt"),
        (["verify", "chrun"], "did you mean 'churn'?"),
    ],
)
def test_a_mistake_ends_in_one_sentence(delivered: Terminal, words: list[str], message: str) -> None:
    said = delivered("registry", *words)
    assert message in said.err
    assert (said.code, said.out, len(said.err.splitlines())) == (2, "", 1)


def test_an_empty_ledger_has_nothing_to_verify(fresh: Terminal) -> None:
    said = fresh("registry", "verify")
    assert (said.code, said.out) == (0, "the ledger has no model yet: there is nothing to verify\n")
    assert not fresh.home.exists()
