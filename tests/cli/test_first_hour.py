"""The first hour: what to do first, what is missing, and what TAB completes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mlops_core.cli import main
from mlops_core.commands.overview import GROUPS
from mlops_core.doctor import examine
from mlops_core.doctor.finding import masked
from mlops_core.doctor.state import file_system_of, room
from tests.cli.published import meets

ROOT = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    return tmp_path / "state"


def test_every_verb_stands_in_one_group(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is left over, nothing is named that is no verb, and any terminal can show it."""
    assert main([]) == 0
    said = capsys.readouterr().out
    assert "Other:" not in said
    assert said.isascii()
    shown = {line.split()[0] for line in said.splitlines() if line.startswith("  ")}
    assert {verb for verbs in GROUPS.values() for verb in verbs} <= shown


def test_a_python_without_the_project_is_told_in_one_sentence() -> None:
    done = subprocess.run(
        [sys.executable, "-S", "flows/churn.py"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 1
    assert "the project is not installed for" in done.stderr
    assert "pip install -e ." in done.stderr
    assert "Traceback" not in done.stderr


def test_doctor_leaves_nothing_behind(home: Path) -> None:
    found = {one.check: one.state for one in examine()}
    assert found["state folder"] in ("ok", "note")
    assert (found["ledger"], found["registry"], found["target"]) == ("ok", "ok", "ok")
    assert not home.exists()


def test_doctor_tells_every_thing_that_is_broken(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file for a folder, nobody at three addresses, a misspelt variable: and no secret."""
    home.write_text("")
    monkeypatch.setenv("MLOPS_HOEM", "x")
    monkeypatch.setenv("MLOPS_LEDGER", "postgresql://me:s3cret@127.0.0.1:1/x")
    monkeypatch.setenv("MLOPS_ONLINE_STORE", "redis://:s3cret@127.0.0.1:1/0")
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:1/api")
    assert main(["doctor", "--json"]) == 1
    said = capsys.readouterr().out
    wrong = {one["check"] for one in meets("doctor", said)["findings"] if one["state"] == "problem"}
    assert wrong >= {"settings", "state folder", "ledger", "online store", "prefect"}
    assert "MLOPS_HOME?" in said
    assert "s3cret" not in said


def test_a_check_that_breaks_or_hangs_leaves_the_others(home: Path) -> None:
    import threading

    ended = threading.Event()

    def breaks() -> list[object]:
        raise RuntimeError("broken")

    more: dict[str, object] = {"breaks": breaks, "hangs": lambda: ended.wait() or []}
    found = {one.check: one for one in examine(seconds=3, more=more)}  # type: ignore[arg-type] # on purpose
    ended.set()
    assert "RuntimeError: broken" in found["breaks"].says
    assert "no answer within" in found["hangs"].says
    assert found["clock"].state == "ok"
    assert not home.exists()


def test_passwords_are_masked_whatever_they_hold() -> None:
    assert masked("at postgresql://u:p@ss/w@h/d?password=x, so") == "at postgresql://***@h/d?*** so"


def test_little_room_and_a_network_are_told(tmp_path: Path) -> None:
    assert [room(tmp_path, free, "")[0].state for free in (10**6, 5 * 10**8, 10**10)] == [
        "problem",
        "note",
        "ok",
    ]
    mounts = "disk / ext4 rw 0 0\nserver:/x /mnt/team nfs4 rw 0 0\n"
    assert file_system_of(Path("/mnt/team/state"), mounts) == "nfs4"
    assert file_system_of(Path("/home"), mounts) == "ext4"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_completes_verbs_and_use_cases(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("shtab")
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert all(word in script for word in ("rollback", "churn", "logistic", "fail-on-rejection"))
