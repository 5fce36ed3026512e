"""`mlops reproduce` as a process: what it leaves alone, what it leaves behind, and on another Python."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from typing import TYPE_CHECKING

import pytest

from mlops_core.cli import main
from mlops_core.domain.digest import file_digests
from tests.reproduction.checkout import SECONDS, until

if TYPE_CHECKING:
    from tests.reproduction.checkout import Checkout

ASIDE = ("locks/", ".scratch-", "code.json")  # and what `provenance.Code` may write at any time


def kept(checkout: Checkout) -> dict[str, str]:
    """Every file of the state folder."""
    return {name: one for name, one in file_digests(checkout.home).items() if not name.startswith(ASIDE)}


def test_which_version_has_to_be_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    """As two words or as one."""
    assert main(["reproduce", "churn"]) == 2
    assert "say which version: mlops reproduce churn N, or churn@production" in capsys.readouterr().err
    assert main(["reproduce", "churn@1", "2"]) == 2
    assert "leave '2' out" in capsys.readouterr().err


@pytest.mark.live
def test_killed_it_leaves_scratch_and_nothing_else(checkout: Checkout) -> None:
    """The next one removes that, and the registry's and the ledger's files stay as they were."""
    before = kept(checkout)
    process = checkout.start("reproduce", "churn@production")
    until(lambda: list(checkout.home.glob(".scratch-0/stages/*/*")), process)
    process.kill()
    process.communicate()
    assert checkout.scratch()
    assert kept(checkout) == before
    code, _, err = checkout.mlops("reproduce", "churn", "production", "--at-commit")
    assert code == 0, err
    assert checkout.scratch() == []
    assert kept(checkout) == before


@pytest.mark.live
def test_a_version_that_is_not_there_is_refused(checkout: Checkout) -> None:
    """With those that are."""
    code, _, err = checkout.mlops("reproduce", "churn", "7")
    assert (code, err) == (2, "mlops: churn has no version @7: there are 1 (Production)\n")


@pytest.mark.live
def test_on_another_python_it_is_identical_or_the_difference_is_named(checkout: Checkout) -> None:
    """By the code of then, so that code is none of the differences."""
    other = os.environ.get("OTHER_PYTHON")
    if not other:
        pytest.skip("OTHER_PYTHON names no other interpreter with this project's dependencies")
    done = subprocess.run(  # noqa: S603 - the interpreter that was named
        [other, "-m", "mlops_core.cli", "reproduce", "churn", "1", "--at-commit", "--json"],
        cwd=checkout.folder,
        env=checkout.environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    found = json.loads(done.stdout)
    named = {(one["part"], one["name"]): one for one in found["differences"]}
    assert named["environment", "python"]["then"] == platform.python_version()
    assert named["environment", "python"]["now"] != platform.python_version()
    assert {part for part, _ in named} <= {"environment", "libraries"}
