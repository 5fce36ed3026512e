"""`mlops gc` as it is typed."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from mlops_core.cli import main
from mlops_core.commands.gc import span_of
from mlops_core.domain.inputs import Inputs
from mlops_core.domain.receipts import ApprovalReceipt
from mlops_core.errors import BadInput
from mlops_core.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

INPUTS = [Inputs(stage="stage", use_case="churn", data={"rows": str(number)}) for number in range(3)]


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A home with three outputs of one stage, of which the last was used last."""
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path / "home"))
    workspace = Workspace(tmp_path / "home")
    for inputs in INPUTS:
        workspace.produce(inputs, ApprovalReceipt, written)
    return workspace


def written(folder: Path) -> ApprovalReceipt:
    """An output of one file."""
    (folder / "data").write_bytes(b"0" * 10_000)
    return ApprovalReceipt(status="not wanted", why="so")


def test_it_lists_and_touches_nothing(space: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gc", "churn", "--older-than", "0"]) == 0
    said = capsys.readouterr().out
    assert said.splitlines()[0].split() == ["kind", "what", "size", "age", "why"]
    for inputs in INPUTS[:2]:
        assert f"output  stages/stage/{inputs.key[:16]}  10." in said
    assert said.endswith("(2 output); nothing was removed: run with --remove\n")
    assert all(space.folder(inputs).is_dir() for inputs in INPUTS)


def test_with_remove_it_goes_and_is_told(space: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gc", "--older-than", "0", "--remove"]) == 0
    assert "removed: 2 things, 20." in capsys.readouterr().out
    assert [space.folder(inputs).is_dir() for inputs in INPUTS] == [False, False, True]
    assert main(["gc", "--older-than", "0"]) == 0
    assert capsys.readouterr().out == "nothing to remove: all that is old enough is referred to\n"


def test_a_day_is_the_default(space: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert space.folder(INPUTS[0]).is_dir()
    assert main(["gc", "--remove"]) == 0
    assert capsys.readouterr().out == "nothing was removed\n"


def test_as_json(space: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gc", "churn", "--older-than", "0", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert not told["removed"]
    assert {one["what"] for one in told["items"]} == {space.uri(space.folder(one)) for one in INPUTS[:2]}
    assert told["size"] == sum(one["size"] for one in told["items"]) == told["totals"]["output"]["size"]
    assert told["totals"]["output"]["count"] == 2


def test_what_the_disk_refuses_ends_it_once_it_is_told_what_went(
    space: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    """One error, exit code 1; the one before it went."""
    first, second = sorted(space.folder(inputs) for inputs in INPUTS[:2])
    second.with_name(f".{second.name}.draft").write_text("in the way")
    assert main(["gc", "--older-than", "0", "--remove"]) == 1
    said = capsys.readouterr()
    assert f"output  {space.uri(first)}" in said.out
    assert said.out.endswith("(1 output)\n")
    assert said.err.startswith(f"mlops: cannot remove {space.uri(second)} in {space.home}")
    assert second.is_dir()


def test_a_use_case_that_nothing_tells_of(space: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert space.home.is_dir()
    assert main(["gc", "chur"]) == 2
    assert "no use case 'chur': did you mean 'churn'?" in capsys.readouterr().err


@pytest.mark.usefixtures("space")
def test_an_age_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gc", "--older-than", "soon"]) == 2
    assert "'soon' is no age: give 30m, 12h, 7d, 2w or 0" in capsys.readouterr().err


def test_ages_in_words() -> None:
    words = {"0": timedelta(0), "30m": timedelta(minutes=30), "12h": timedelta(hours=12)}
    words |= {"7d": timedelta(days=7), "2w": timedelta(weeks=2)}
    assert {word: span_of(word) for word in words} == words
    for word in ("", "-1d", "1.5h", "1y", "d", "10"):
        with pytest.raises(BadInput, match="is no age"):
            span_of(word)


@pytest.mark.live
def test_a_registry_that_cannot_be_reached_keeps_everything(
    space: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLOPS_TRACKING_URI", "http://127.0.0.1:9")  # a port where nobody listens
    assert main(["gc", "--older-than", "0", "--remove"]) == 1
    assert "cannot be reached" in capsys.readouterr().err
    assert all(space.folder(inputs).is_dir() for inputs in INPUTS)
