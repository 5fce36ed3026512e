"""A run's folder, on a disk and at URLs: whole files whatever a task is called, sentences for the rest."""

from __future__ import annotations

import os
import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_core.domain.digest import digest_of
from mlops_core.domain.receipts import ApprovalReceipt, TrainingSetReceipt
from mlops_core.errors import BadInput, IntegrityError, MlopsError, NotFound, Unavailable
from mlops_core.run_folder import RunFolder
from tests.exporters.pipelines import names

if TYPE_CHECKING:
    from pathlib import Path

UNASKED = ApprovalReceipt(status="not wanted", why="the policy asks for no person's approval")
WAITING = ApprovalReceipt(status="waiting", request="4f", why="a person is asked")


@pytest.fixture(params=["folder", "file", "memory"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a run's folder may lie."""
    places = {"folder": str(tmp_path / "run"), "file": (tmp_path / "run").as_uri()}
    return places.get(request.param, f"memory://{uuid4()}/run")


def test_what_a_task_returned_is_there_for_whoever_opens_the_folder(url: str) -> None:
    RunFolder(url).finished("approval", UNASKED, {"gate": WAITING})
    there = RunFolder(f"{url}/")
    assert there.receipts(["approval"]) == {"approval": UNASKED}
    kept = there.kept("approval")
    assert kept is not None
    assert kept.upstream == {"gate": digest_of(WAITING)}


def test_a_failure_takes_the_receipt_away_and_a_receipt_the_failure(url: str) -> None:
    folder = RunFolder(url)
    folder.finished("approval", UNASKED, {})
    folder.failed("approval", Unavailable("the ledger is locked"), retry=True)
    failure = folder.failure("approval")
    assert failure is not None
    assert (failure.error, failure.message, failure.retry) == ("Unavailable", "the ledger is locked", True)
    assert folder.receipt("approval") is None
    with pytest.raises(NotFound, match="approval, gate have not finished there"):
        folder.receipts(["approval", "gate"])
    folder.finished("approval", WAITING, {})
    assert (folder.failure("approval"), folder.receipt("approval")) == (None, WAITING)


def test_a_run_begins_once_and_whoever_is_later_sees_how(url: str) -> None:
    assert RunFolder(url).begun() is None
    floors = [round(number / 100, 2) for number in range(8)]
    with ThreadPoolExecutor(1 if url.startswith("memory") else 8) as pool:  # that one is not for threads
        found = list(pool.map(lambda floor: RunFolder(url).begin("churn", {"floor": floor}), floors))
    assert len({one.model_dump_json() for one in found}) == 1
    assert found[0] == RunFolder(url).begun()


@settings(max_examples=60, deadline=None)
@given(st.lists(names, min_size=1, max_size=6, unique=True))
def test_every_task_has_files_of_its_own_whatever_it_is_called(tasks: list[str]) -> None:
    folder = RunFolder(f"memory://{uuid4()}")
    for task in tasks:
        folder.finished(task, ApprovalReceipt(status="waiting", why=task), {})
    found = {task: folder.kept(task) for task in tasks}
    assert {task: kept.receipt["why"] for task, kept in found.items() if kept} == {one: one for one in tasks}
    folder.failed(tasks[0], Unavailable("busy"), retry=True)
    assert [task for task in tasks if folder.kept(task) is None] == [tasks[0]]


def test_long_and_odd_names_fit_a_disk(tmp_path: Path) -> None:
    folder = RunFolder(str(tmp_path / "run"))
    for task in ("漢" * 300, "漢" * 300 + "字", "../../out", "x" * 5_000, ".", "a/b"):
        folder.finished(task, UNASKED, {})
        kept = folder.kept(task)
        assert kept is not None
        assert kept.task == task
    assert len(list((tmp_path / "run" / "receipts").iterdir())) == 6
    assert [one.name for one in tmp_path.iterdir()] == ["run"]


def test_nothing_but_the_files_stays_behind(tmp_path: Path) -> None:
    folder = RunFolder(str(tmp_path))
    folder.begin("churn", {})
    folder.begin("churn", {})
    folder.finished("approval", UNASKED, {})
    folder.finished("approval", WAITING, {})
    found = sorted(str(one.relative_to(tmp_path)) for one in tmp_path.rglob("*") if one.is_file())
    assert found == ["receipts/approval.json", "run.json"]


@pytest.mark.parametrize("content", ["", "{", '{"task": "gate"}', '{"task": "gate", "receipt": {"a": 1}}'])
def test_a_damaged_receipt_is_said_to_be_one(tmp_path: Path, content: str) -> None:
    (tmp_path / "receipts").mkdir()
    (tmp_path / "receipts" / "gate.json").write_text(content)
    with pytest.raises(
        IntegrityError, match=r"receipts/gate\.json is not what .* remove it and run its task"
    ):
        RunFolder(str(tmp_path)).receipt("gate")


def test_another_task_s_receipt_is_not_taken_for_this_one_s(tmp_path: Path) -> None:
    """As a file system would give it that knows no capitals."""
    folder = RunFolder(str(tmp_path))
    folder.finished("gate", UNASKED, {})
    (tmp_path / "receipts" / "gate.json").rename(tmp_path / "receipts" / "Gate.json")
    with pytest.raises(IntegrityError, match="is of task 'gate', not of 'Gate'"):
        folder.kept("Gate")


def test_lists_come_back_as_the_tuples_that_they_were(url: str) -> None:
    split = {"snapshots": ["2024-01-01T00:00:00Z"], "rows": 1, "positives": 1}
    receipt = TrainingSetReceipt.model_validate_json(
        TrainingSetReceipt.model_validate(
            {"ref": {"uri": "a", "digest": "b"}, "feature_names": ("x", "y")}
            | dict.fromkeys(("fit", "embargo", "validation", "evaluation"), split)
        ).model_dump_json()
    )
    RunFolder(url).finished("training_set", receipt, {})
    assert RunFolder(url).receipt("training_set") == receipt


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("", "--run is empty: expected a folder, or a URL"),
        ("nowhere://a/b", "--run nowhere://a/b: Protocol not known: nowhere"),
        ("adl://a:secret@b/c", r"--run adl://b/c: .*nstall adlfs"),
    ],
)
def test_what_is_no_place_is_refused(url: str, sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence) as refused:
        RunFolder(url)
    assert "secret" not in str(refused.value)


def test_a_file_in_the_folder_s_place_is_said(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    folder = RunFolder(str(tmp_path / "run"))
    for refused in (folder.begun, lambda: folder.begin("churn", {})):
        with pytest.raises(MlopsError, match=f"cannot .* --run {re.escape(str(tmp_path))}/run: "):
            refused()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_to_is_said(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(MlopsError, match="Permission denied"):
        RunFolder(str(tmp_path / "run")).begin("churn", {})


def test_a_place_that_only_reads_is_said() -> None:
    """Not all that fsspec opens can be written to."""
    with pytest.raises(MlopsError, match="cannot write to --run data://x: ValueError: Read only"):
        RunFolder("data://x").begin("churn", {})


class EndpointConnectionError(Exception):
    """As botocore, behind s3fs, names and derives it: from no error of Python's own."""


def test_a_server_out_of_reach_is_worth_another_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> bytes:
        raise EndpointConnectionError("could not connect")

    monkeypatch.setattr(MemoryFileSystem, "cat_file", refused)
    with pytest.raises(Unavailable, match="cannot read --run memory://runs/1: could not connect"):
        RunFolder("memory://runs/1").begun()
