"""`mlops gate` and `mlops approve --hold` as the jobs of a workflow use them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlops_core.domain.ledger import Approved
from tests.cli.published import meets

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Terminal
    from tests.promotion.desk import Desk

pytestmark = pytest.mark.live  # each registers models first

CASE = "asking_case:CHURN"


def outputs(file: Path) -> dict[str, str]:
    """What a workflow reads."""
    return dict(line.split("=", 1) for line in file.read_text().splitlines())


def test_the_steps_of_a_delivery_that_a_person_approves(
    fresh: Terminal, asking: Desk, tmp_path: Path
) -> None:
    """Gate, consent on hold, gate again, promotion: each a command of its own."""
    version = asking.judged(1)
    question = asking.ask(version).digest
    file = tmp_path / "outputs"
    file.write_text("before=1\n")
    words = ("gate", CASE, "1", "--digest", version.digest, "--outputs", str(file))
    said = fresh(*words)
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("churn 1 may go on: the gate passed it, and a person is asked\n")
    assert f"mlops approve {CASE} 1 --question {question[:12]} --reason …" in said.out
    asked = {
        "before": "1",
        "version": "1",
        "digest": version.digest,
        "verdict": "passed",
        "question": question,
    }
    assert outputs(file) == asked | {"approval": "waiting", "previous": ""}

    said = fresh("approve", CASE, "1", "--hold", "--reason", "read it", "--actor", "bo")
    assert (said.code, said.err) == (0, "")
    assert "Nothing is promoted yet." in said.out
    assert said.out.rstrip().endswith(f"mlops promote {CASE} 1 --reason …")
    assert (asking.stages, asking.served) == ({1: "Staging"}, None)
    assert asking.standing.entries[-1].event == Approved(request=question)
    assert (fresh(*words).code, outputs(file)["approval"]) == (0, "approved")

    assert fresh("promote", CASE, "1", "--reason", "approved").code == 0
    assert (asking.stages, asking.served) == ({1: "Production"}, 1)
    said = fresh(*words)
    assert (said.code, "it is in Production" in said.out) == (0, True)
    assert outputs(file)["previous"] == "1"
    said = fresh("approve", CASE, "1", "--hold", "--reason", "me too", "--actor", "bo")
    assert (said.code, "is in Production already" in said.out) == (0, True)


def test_what_may_not_go_on_says_why_and_in_the_outputs(fresh: Terminal, desk: Desk, tmp_path: Path) -> None:
    """Exit codes: 3 decided against, 1 to be decided anew, 2 not there."""
    desk.delivered(1)
    desk.judged(2, "drift")
    file = tmp_path / "outputs"
    said = fresh("gate", "churn", "2", "--outputs", str(file))
    assert (said.code, said.err) == (3, "")
    assert said.out.startswith("churn 2 may not go on: the gate rejected it for drift\n")
    assert "failed  drift: drift is too bad" in said.out
    assert "production    version 1, which it would replace" in said.out
    assert outputs(file)["verdict"] == "rejected"
    assert outputs(file)["previous"] == "1"
    late = desk.judged(3)
    desk.delivered(4)
    said = fresh("gate", "churn", "3", "--json")
    facts = meets("gate", said.out)
    assert (said.code, facts["verdict"], facts["previous"]) == (1, "superseded", 4)
    assert (facts["digest"], facts["approval"]) == (late.digest, {"state": "not wanted", "question": None})
    assert "run `mlops run churn`, which judges anew" in facts["why"]
    desk.roll_back()
    assert fresh("gate", "churn", "4").code == 3
    for words, code, message in (
        (("churn", "9"), 2, "churn has no version 9: there are 1, 2, 3, 4"),
        (("churn", "1", "--digest", "0000"), 1, "this is another registry than the one that was meant"),
        (("churn", "1", "--outputs", str(tmp_path)), 2, "--outputs: cannot write to"),
        (("churn", "one"), 2, "'one' is no version"),
        (("chrun", "1"), 2, "did you mean 'churn'?"),
    ):
        said = fresh("gate", *words)
        assert (said.code, said.out, len(said.err.splitlines())) == (code, "", 1)
        assert message in said.err
