"""Processes that append at once: one wins each place, and nothing is lost."""

from __future__ import annotations

import pytest

from tests.ledger.drafts import ledger_at
from tests.ledger.processes import started

pytestmark = pytest.mark.live


def test_of_eight_processes_one_wins_each_place(shared: str) -> None:
    """From the first use on, each enters six versions with a decision: all are there, pairs together."""
    processes = [started("race", shared, worker, 6) for worker in range(8)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    outcomes = [(process.communicate(timeout=300), process.returncode) for process in processes]
    assert [code for _, code in outcomes] == [0] * 8, outcomes
    lost = [int(out) for (out, _), _ in outcomes]
    entries = ledger_at(shared).entries("churn")
    assert [entry.number for entry in entries] == list(range(1, 97))
    assert sorted(entry.version for entry in entries[::2]) == list(range(1, 49))
    assert {entry.event.kind for entry in entries[::2]} == {"registered"}
    assert {entry.event.kind for entry in entries[1::2]} == {"decided"}
    assert sum(lost) > 0
