"""The parity benchmark sees a difference where there is one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from benchmarks.parity.found import Found
from benchmarks.parity.result import Ran, Result, Watched
from benchmarks.parity.tables import equal, failures_table, found_table, times_table

if TYPE_CHECKING:
    from pathlib import Path

SAME = Found(training_set="t" * 64, models={"logistic": "m" * 64}, version=1, decision="d" * 64)
PLACE, SKIPPED = "gate", {"deployment"}
AS_FORESEEN = Result(
    Ran({"events": "finished", "gate": "failed", "deployment": "skipped"}, 1, 2.0),
    Watched({"events": 1, "gate": 1}, frozenset({"events"}), 1.0),
    SAME,
)
OTHERWISE = {
    "nothing is skipped": replace(
        AS_FORESEEN, ran=Ran({"events": "finished", "gate": "failed", "deployment": "finished"}, 1, 2.0)
    ),
    "it ends well": replace(AS_FORESEEN, ran=replace(AS_FORESEEN.ran, exit_code=0)),
    "it is tried twice": replace(AS_FORESEEN, watched=Watched({"events": 1, "gate": 2})),
    "it deploys": replace(AS_FORESEEN, watched=Watched({"events": 1}, frozenset({"deployment"}))),
}


def told(result: Result) -> str:
    """The row of the table for a failure at the gate."""
    *_, row = failures_table({PLACE: {"one way": result}}, {PLACE: SKIPPED})
    return row


def test_a_failure_as_the_dag_foresees_it_is_the_same() -> None:
    assert told(AS_FORESEEN) == "| gate | deployment | the same |"


@pytest.mark.parametrize("what", OTHERWISE)
def test_any_other_is_told(what: str) -> None:
    assert "the same" not in told(OTHERWISE[what])


@pytest.mark.parametrize("other", [{"decision": "e" * 64}, {"models": {}}, {"version": 2}, {"release": "r"}])
def test_a_digest_that_differs_is_not_equal(other: dict[str, object]) -> None:
    different = replace(AS_FORESEEN, found=Found(**{**vars(SAME), **other}))
    runs = {"one way": [(AS_FORESEEN, AS_FORESEEN)], "another": [(AS_FORESEEN, different)]}
    assert not equal([SAME, different.found])
    assert "equal: NO" in list(found_table(runs))[-1]


def test_times_are_medians_and_what_a_task_costs_more() -> None:
    slow = replace(AS_FORESEEN, ran=replace(AS_FORESEEN.ran, seconds=8.0))
    *_, row = times_table({"ours": [(AS_FORESEEN, AS_FORESEEN)], "theirs": [(slow, slow)]}, "ours", tasks=3)
    assert row == "| theirs | 8.0 | 1.0 | 8.0 | 2.00 |"


def test_a_log_of_stages_is_read_as_attempts_and_ends(tmp_path: Path) -> None:
    log = tmp_path / "stages.log"
    log.write_text(
        '{"task": "gate"}\n{"task": "gate", "seconds": 1.0, "error": "Unavailable"}\n'
        '{"task": "gate"}\n{"task": "gate", "seconds": 0.5, "error": null}\n'
    )
    assert Watched.read(log) == Watched({"gate": 2}, frozenset({"gate"}), 1.5)
    assert Watched.read(tmp_path / "none.log") == Watched()
