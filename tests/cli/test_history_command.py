"""`mlops history` as a person or an auditor uses it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from mlops_core.domain.ledger import Entry

if TYPE_CHECKING:
    from tests.cli.conftest import Terminal
    from tests.promotion.desk import Desk

pytestmark = pytest.mark.live  # the default suite stays under two minutes


def test_entries_are_told_in_their_order(delivered: Terminal) -> None:
    lines = delivered("history", "churn").out.splitlines()
    assert lines[0].split() == ["time", "(UTC)", "what", "version", "who", "why"]
    words = ["registered", "decided: passed", "promoted", "deployed 1-"]
    assert all(word in line for word, line in zip(words, lines[1:], strict=True))


def test_the_whole_ledger_is_there_for_programs(delivered: Terminal) -> None:
    """With every link of its chain."""
    found = json.loads(delivered("history", "churn", "--json").out)
    digests = [one.pop("digest") for one in found]
    entries = [Entry.model_validate_json(json.dumps(one)) for one in found]
    assert [entry.digest for entry in entries] == digests
    assert [entry.previous for entry in entries] == [None, *digests[:-1]]


def test_what_was_in_production_is_answered_for_any_time(fresh: Terminal, desk: Desk) -> None:
    """Before, between, after a rollback; with digest, since when, by whom, why, and what was served."""
    first, second = desk.delivered(1, 2)
    desk.roll_back()
    moments = {entry.event.kind: entry.at for entry in desk.standing.entries if entry.version == 2}
    early = fresh("history", "churn", "--at", "2001-01-01")
    assert (early.code, "its ledger begins at" in early.out) == (0, True)
    between = fresh("history", "churn", "--at", moments["deployed"].isoformat())
    for part in (
        "churn version 2 was in Production at ",
        f"digest      {second.digest}",
        "promoted by ana",
        "why         it passed",
        "floor: roc_auc is 0.81",
        "served      version 2 from releases/churn/2-",
    ):
        assert part in between.out
    after = fresh("history", "churn", "--at", f"{datetime.now(UTC):%Y-%m-%d}").out
    assert f"digest      {first.digest}" in after
    assert "rolled back to from version 2 by ana" in after
    assert "why         complaints" in after
    assert "decision    passed" in after
    (found,) = [json.loads(fresh("history", "churn", "--at", moments["promoted"].isoformat(), "--json").out)]
    assert (found["production"]["version"], found["production"]["decision"]["verdict"]) == (2, "passed")
    assert found["served"]["version"] == 1


def test_a_version_in_staging_was_not_in_production(fresh: Terminal, desk: Desk) -> None:
    desk.judged(1)
    now = datetime.now(UTC).isoformat()
    assert "No version of churn was in Production at" in fresh("history", "churn", "--at", now).out
    assert json.loads(fresh("history", "churn", "--at", now, "--json").out)["production"] is None


def test_entries_of_one_version_are_shown_alone(fresh: Terminal, desk: Desk) -> None:
    desk.delivered(1, 2)
    found = json.loads(fresh("history", "churn", "--version", "2", "--json").out)
    assert {one["version"] for one in found} == {2}
    said = fresh("history", "churn", "--version", "9")
    assert (said.code, "the ledger has no version 9 of churn: there are 1, 2" in said.err) == (2, True)


def test_what_people_wrote_cannot_steer_the_terminal(fresh: Terminal, desk: Desk) -> None:
    """Nor break the table, whatever its length."""
    desk.promote(desk.judged(1), reason="one\x1b[2J\ntwo " + "x" * 500, actor="e\x07va")
    lines = fresh("history", "churn").out.splitlines()
    assert len(lines) == 5
    assert "one?[2J two" in lines[3]
    assert "e?va" in lines[3]
    assert lines[3].endswith("x…")


def test_a_model_is_known_by_its_name_alone(fresh: Terminal, desk: Desk) -> None:
    """Where its definitions cannot be imported: the ledger knows it."""
    (version,) = desk.delivered(1)
    drafts = [
        {"version": 1, "model": version.digest, "event": entry.event, "actor": "ana", "reason": "as before"}
        for entry in desk.standing.entries
    ]
    desk.engines.ledger.append("fraud", [_draft(**one) for one in drafts], after=0)
    assert "as before" in fresh("history", "fraud").out
    said = fresh("history", "frod")
    assert (said.code, "Models of the ledger, which can be named too: churn, fraud." in said.err) == (2, True)
    said = fresh("promote", "fraud", "1", "--reason", "good")
    assert (said.code, "its policy is in its definitions" in said.err) == (2, True)


def _draft(**fields: object) -> object:
    from mlops_core.domain.ledger import Draft

    return Draft.model_validate(fields)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--at", "soon"], "'soon' is no date or time like"),
        (["--at", f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%d}"], "is still to come"),
        (["--at", "2020-01-01", "--version", "1"], "leave --version out"),
        (["--version", "-1"], "'-1' is no version"),
        (["--jsno"], "did you mean --json?"),
    ],
)
def test_a_mistake_ends_in_one_sentence(delivered: Terminal, words: list[str], message: str) -> None:
    said = delivered("history", "churn", *words)
    assert message in said.err
    assert (said.code, said.out, len(said.err.splitlines())) == (2, "", 1)


def test_nothing_delivered_yet_is_said_and_nothing_is_written(fresh: Terminal) -> None:
    said = fresh("history", "churn")
    assert (said.code, "has nothing of churn yet" in said.out) == (0, True)
    assert json.loads(fresh("history", "churn", "--json").out) == []
    assert not fresh.home.exists()
