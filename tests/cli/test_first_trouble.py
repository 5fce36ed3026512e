"""What stands in the way of a first run: each is one sentence that says what to do, and nothing is made."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mlops_core.cli import main
from mlops_core.disk import folder_to_be
from mlops_core.errors import MlopsError

ROOT = Path(__file__).parents[2]
FLOWS = sorted(
    file.name
    for file in (ROOT / "flows").glob("*.py")
    if "run_from_shell(" in file.read_text() and file.stem != "shell"
)
NOBODY = 65534


def said_by(*words: str, **environ: str) -> tuple[int, str]:
    """Exit code of a Python with these words, and what it wrote to standard error."""
    done = subprocess.run(  # noqa: S603 - this Python, and the words of the tests below
        [sys.executable, *words],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **environ},
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    "words",
    [
        "models list churn",
        "gc",
        "gc --remove",
        "plan churn",
        "history churn",
        "approvals",
        "predict churn --id 1",
    ],
)
def test_a_file_in_place_of_the_state_folder_is_no_empty_one(
    words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("mine")
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path / "file"))
    assert main(words.split()) == 1
    said = capsys.readouterr()
    assert "something on its path is not a folder" in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""
    assert (tmp_path / "file").read_text() == "mine"


def test_a_state_folder_may_still_be_to_come(tmp_path: Path) -> None:
    assert folder_to_be(tmp_path / "a" / "b") == tmp_path / "a" / "b"
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(MlopsError, match="something on its path is not a folder"):
        folder_to_be(tmp_path / "file" / "b")


@pytest.mark.skipif(os.getuid() != 0, reason="becomes another user, which root alone may")
def test_a_state_folder_of_somebody_else_is_no_empty_one(tmp_path: Path) -> None:
    """In a process of its own, that gives up root's rights once it has imported what it needs."""
    theirs = tmp_path / "theirs"
    theirs.mkdir(mode=0o700)
    look = f"""
import os
from pathlib import Path
from mlops_core.disk import folder_to_be
os.setgid({NOBODY})
os.setuid({NOBODY})
folder_to_be(Path({str(theirs)!r}))
"""
    code, said = said_by("-c", look)
    assert code == 1
    assert "permission denied" in said


@pytest.mark.parametrize("flow", FLOWS)
def test_every_flow_tells_that_the_project_is_not_installed(flow: str) -> None:
    code, said = said_by("-S", f"flows/{flow}")
    assert code == 1
    assert "the project is not installed for" in said
    assert "pip install -e ." in said
    assert "Traceback" not in said


def test_a_home_of_prefect_that_cannot_be_used_is_told_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    environ = {"PREFECT_HOME": str(tmp_path / "file" / "x"), "MLOPS_HOME": str(tmp_path / "state")}
    code, said = said_by("flows/churn.py", **environ)
    assert code == 1
    assert "set PREFECT_HOME to one that you may write" in said
    assert said.count("\n") == 1
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(("name", "kind"), [("events.csv", "CSV in UTF-8"), ("events.parquet", "Parquet")])
def test_events_by_another_name_than_their_kind_are_told(
    name: str,
    kind: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path / "state"))
    events = tmp_path / name
    if events.suffix == ".csv":
        shutil.copy(ROOT / "mlops_core/data/cdnow.parquet", events)
    else:
        events.write_text("customer_id,purchased_at,quantity,amount\n1,1997-01-01,1,2.0\n")
    assert main(["run", "churn", "--quiet", "--data", str(events)]) == 2
    said = capsys.readouterr().err
    assert f"cannot be read as {kind}" in said
    assert "name it as what it is" in said
    assert said.count("\n") == 1
    assert not (tmp_path / "state" / "stages").exists()
    assert not (tmp_path / "state" / "features").exists()


def test_a_redis_that_is_not_there_is_told_in_whole_sentences(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("redis")
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path))
    monkeypatch.setenv("MLOPS_ONLINE_STORE", "redis://127.0.0.1:1/0")
    assert main(["gc"]) == 1
    said = capsys.readouterr().err
    assert "Connection refused. See that it runs" in said
    assert said.count("\n") == 1


def test_a_server_needs_to_know_what_to_serve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("MLOPS_RELEASE", raising=False)
    assert main(["serve"]) == 2
    assert "name a USE_CASE whose releases to follow" in capsys.readouterr().err
    assert not (tmp_path / "state").exists()
