from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from mlops_core.adapters.feature_store.feast_environment import FEAST
from mlops_core.adapters.feature_store.feast_process import FeastProcess
from mlops_core.errors import MlopsError, NotFound, Unavailable

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.live


def fake(folder: Path, body: str) -> Path:
    """An interpreter that does something else."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_an_interpreter_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"no Python of Feast's at .*nowhere: No such file.*feast_environment"):
        FeastProcess(tmp_path / "nowhere").call("hello")


def test_a_python_without_feast_is_named(tmp_path: Path) -> None:
    with pytest.raises(MlopsError, match=r"cannot import Feast \(Feast failed: ModuleNotFoundError"):
        FeastProcess(make_bare(tmp_path)).call("hello")


def make_bare(folder: Path) -> Path:
    """A Python with nothing installed: ours, without its site packages."""
    return fake(folder, f'exec "{sys.executable}" -S "$@"')


def test_another_version_of_feast_is_refused(tmp_path: Path) -> None:
    python = fake(tmp_path, """read line; echo '{"answer": {"feast": "0.20.1"}}'""")
    with pytest.raises(MlopsError, match=r"has Feast 0\.20\.1, this adapter needs 0\.67\.\*"):
        FeastProcess(python).call("hello")


def test_the_last_words_of_a_process_that_ends_are_passed_on(tmp_path: Path) -> None:
    python = fake(tmp_path, "echo first >&2; echo last words >&2; exit 3")
    with pytest.raises(MlopsError, match=r"ended with code 3: last words"):
        FeastProcess(python).call("hello")


def test_a_process_that_says_nothing_is_ended(tmp_path: Path) -> None:
    python = fake(tmp_path, "exec sleep 600")
    with pytest.raises(MlopsError, match=r"did not answer within 0\.2 seconds"):
        FeastProcess(python, timeout=0.2).call("hello")


def test_feasts_failure_is_ours_and_the_process_goes_on(feast_python: Path, tmp_path: Path) -> None:
    with FeastProcess(feast_python) as process:
        with pytest.raises(MlopsError, match=r"Feast failed: FileNotFoundError"):
            process.call("historical", folder=str(tmp_path), reads=[{"view": "v", "spine": "none"} | _READ])
        assert process.call("hello")["feast"].startswith("0.67.")


_READ = {
    "source": "none",
    "keys": [("k0", "integer")],
    "features": [("f0", "integer")],
    "known": False,
    "into": "",
}


def test_a_process_that_died_is_started_anew(tmp_path: Path) -> None:
    answer = """read line; echo '{"answer": {"feast": "0.67.0"}}'"""
    again = f"if [ -e again ]; then {answer}; fi; touch again; read line; exit 1"
    with FeastProcess(fake(tmp_path, f"cd '{tmp_path}'; {answer}; {again}"), timeout=60) as process:
        with pytest.raises(Unavailable, match="ended with code 1"):
            process.call("hello")
        assert process.call("hello") == {"feast": "0.67.0"}


def test_the_variable_names_the_interpreter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = fake(tmp_path, "true")
    monkeypatch.setenv("FEAST_PYTHON", str(python))
    assert FEAST.default_python() == python


def test_without_an_environment_the_way_to_make_one_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FEAST_PYTHON", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(NotFound, match=r"Make one with: python -m .*feast_environment .*feast-0\.67"):
        FEAST.default_python()


def test_an_environment_that_was_made_stays(tmp_path: Path) -> None:
    constraints = FEAST.constraints.read_bytes()
    (tmp_path / ".made-for-mlops").write_bytes(constraints)
    assert FEAST.make(tmp_path).parts[-2:] == ("bin", "python")
    assert not (tmp_path / "bin").exists()
