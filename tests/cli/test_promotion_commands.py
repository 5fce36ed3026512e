"""`mlops promote` and `mlops rollback` as a person uses them."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Terminal
    from tests.promotion.desk import Desk

pytestmark = pytest.mark.live  # each delivers a model first


def test_a_version_that_passed_is_promoted_by_its_number(fresh: Terminal, desk: Desk) -> None:
    desk.delivered(1)
    desk.judged(2)
    said = fresh("promote", "churn", "2", "--reason", "spring figures", "--actor", "eva")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("churn version 2 is in Production instead of version 1, served from releases/")
    assert (desk.stages, desk.served) == ({1: "Archived", 2: "Production"}, 2)
    entry = desk.standing.since(2)
    assert entry is not None
    assert (entry.actor, entry.reason) == ("eva", "spring figures")
    said = fresh("promote", "churn", "2", "--reason", "again")
    assert (said.code, said.out.startswith("churn version 2 was in Production already")) == (0, True)


def test_a_failed_check_is_passed_over_when_it_is_named(fresh: Terminal, desk: Desk) -> None:
    """What is waived has to be a failed check, all of them, and is kept."""
    desk.delivered(1)
    desk.judged(2, "drift", "latency")
    words = ("promote", "churn", "2", "--reason", "a new country")
    said = fresh(*words, "--waive", "drift")
    assert (said.code, "latency: latency is too bad" in said.err) == (1, True)
    said = fresh(*words, "--waive", "drft")
    assert (said.code, "failed are 'drift', 'latency'" in said.err) == (2, True)
    assert fresh(*words, "--waive", "drift", "--waive", "latency").code == 0
    assert "waived: drift, latency" in fresh("models", "list", "churn").out
    assert "promoted, waiving drift, latency" in fresh("history", "churn").out
    assert (
        "  waived      drift, latency"
        in fresh("history", "churn", "--at", f"{datetime.now(UTC):%Y-%m-%d}").out
    )


def test_a_rollback_serves_what_served_before(fresh: Terminal, desk: Desk) -> None:
    """The version that is left does not come back by itself, and does when it is named."""
    desk.delivered(1, 2)
    said = fresh("rollback", "churn", "--reason", "complaints", "--actor", "eva")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("churn is rolled back from version 2 to 1, served from releases/churn/1-")
    assert (desk.stages, desk.served) == ({1: "Production", 2: "Archived"}, 1)
    assert "rolled back from" in fresh("models", "list", "churn").out
    assert fresh("registry", "verify", "churn", "--check").code == 0
    assert fresh("promote", "churn", "2", "--reason", "it was the shop").code == 0
    assert desk.served == 2
    assert fresh("rollback", "churn", "--to", "1", "--reason", "no, it was not").code == 0
    assert "is in Production already" in fresh("rollback", "churn", "--to", "1", "--reason", "sure").out


def test_a_rollback_counts_though_the_registry_cannot_be_told(
    fresh: Terminal, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.delivered(1, 2)
    (tmp_path / "damaged.db").write_bytes(b"no database")
    monkeypatch.setenv("MLOPS_TRACKING_URI", f"sqlite:///{tmp_path / 'damaged.db'}")
    said = fresh("rollback", "churn", "--reason", "complaints")
    assert said.code == 0
    assert "the rollback holds, but the registry does not show it yet" in said.err
    assert said.err.endswith("mlops registry verify churn\n")
    assert desk.served == 1
    monkeypatch.delenv("MLOPS_TRACKING_URI")
    assert fresh("registry", "verify", "churn", "--check").code == 1
    assert fresh("registry", "verify", "churn").code == 0


@pytest.mark.live
def test_a_rollback_needs_no_engine_before_the_target_is_switched(fresh: Terminal, desk: Desk) -> None:
    """Neither registry nor trainer are loaded, and the definitions of the model are not either."""
    desk.delivered(1, 2)
    script = (
        "import sys; from mlops_core.adapters.deployer.local import LocalDeployer\n"
        "switch = LocalDeployer.activate\n"
        "def watched(self, release):\n"
        "    names = ('mlflow', 'sklearn', 'numpy', 'sqlalchemy', 'pyarrow', 'mlops_core.usecases.churn')\n"
        "    print('loaded', *(name for name in names if name in sys.modules))\n"
        "    switch(self, release)\n"
        "LocalDeployer.activate = watched\n"
        "from mlops_core.cli import main; sys.exit(main(['rollback', 'churn', '--reason', 'complaints']))"
    )
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"MLOPS_HOME": str(fresh.home)},
    )
    assert done.stdout.splitlines()[0] == "loaded"
    assert desk.served == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["promote", "churn", "2"], "say why with --reason"),
        (["promote", "churn", "2", "--reason", " "], "say why with --reason"),
        (["promote", "churn", "--reason", "good"], "arguments are required: VERSION"),
        (["promote", "churn", "two", "--reason", "good"], "'two' is no version"),
        (["promote", "churn", "7", "--reason", "good"], "churn has no version 7: there are 1"),
        (["promote", "churn", "1", "--reason", "it", "is", "good"], "in quotes"),
        (["promote", "churn", "1", "--raeson", "good"], "did you mean --reason?"),
        (["promote", "churn", "1", "--reason", "good", "--actor", ""], "--actor is empty"),
        (["promote", "chrun", "1", "--reason", "good"], "did you mean 'churn'?"),
        (["promot", "churn", "1"], "did you mean 'promote'?"),
        (["rollback", "churn"], "say why with --reason"),
        (["rollback", "churn", "1", "--reason", "bad"], "say --to 1"),
        (["rollback", "churn", "--to", "0", "--reason", "bad"], "'0' is no version"),
        (["rollback", "churn", "--to", "7", "--reason", "bad"], "version 7 never served"),
        (["rollback", "churn", "--reason", "bad"], "name one with --to"),
    ],
)
def test_a_mistake_ends_in_one_sentence_and_changes_nothing(
    delivered: Terminal, words: list[str], message: str
) -> None:
    before = delivered("history", "churn", "--json").out
    said = delivered(*words)
    assert message in said.err
    assert (said.code, said.out, len(said.err.splitlines())) == (2, "", 1)
    assert delivered("history", "churn", "--json").out == before
