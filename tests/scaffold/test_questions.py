"""The questions of `mlops new`, answered on a terminal."""

from __future__ import annotations

import os
import pty
import select
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.scaffold.shapes import write

if TYPE_CHECKING:
    from tests.live.conftest import Environment

pytestmark = pytest.mark.live

QUESTION = b"] "
END = "\x04"  # as Ctrl-D is


def _typed(site: Environment, folder: Path, answers: list[str]) -> tuple[int, str]:
    """The exit code and all that the terminal showed; each question gets the next answer."""
    mlops = str(Path(sys.executable).with_name("mlops"))
    process, terminal = pty.fork()
    if not process:
        os.chdir(folder)
        os.execve(mlops, [mlops, "new", "own_case", "--events", "visits.parquet"], dict(site.variables))  # noqa: S606 - our own command
    shown, left = b"", list(answers)
    while select.select([terminal], [], [], 120)[0]:
        try:
            more = os.read(terminal, 65536)
        except OSError:  # Linux tells so that the other end is closed
            break
        if not more:
            break
        shown += more
        if shown.endswith(QUESTION) and left:
            answer = left.pop(0)
            os.write(terminal, (answer if answer == END else f"{answer}\n").encode())
    os.close(terminal)  # which ends a process that still waits
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), shown.decode().replace("\r\n", "\n")


def test_answers_are_taken_and_wrong_ones_asked_again(tmp_path: Path, environment: type[Environment]) -> None:
    """Enter takes what is proposed; a wrong answer is told in a sentence, and the question comes again."""
    write("visits", tmp_path)
    answers = ["", "'Filiale", "Filiale 'Kunden Nr'", "--no-created", "sum:Umsatz (€)", "9" * 30, "30"]
    code, shown = _typed(environment(tmp_path / "state", tmp_path / "prefect"), tmp_path, answers)
    assert code == 0, shown
    assert shown.index("Umsatz (€): number") < shown.index("--time [Enter: Zeitpunkt]")
    assert "a quotation mark is open" in shown
    assert "expected whole days from 1 to 3650" in shown
    assert shown.count("--horizon [Enter: 90]") == 2
    text = (tmp_path / "own_case.py").read_text()
    for one in ('key=("Filiale", "Kunden Nr")', 'column="Umsatz (€)"', "horizon=days(30)"):
        assert one in text
    assert "created_timestamp" not in text


def test_nobody_who_answers_writes_nothing(tmp_path: Path, environment: type[Environment]) -> None:
    """The end of the input is no consent: exit code 2."""
    write("visits", tmp_path)
    code, shown = _typed(environment(tmp_path / "state", tmp_path / "prefect"), tmp_path, ["", END])
    assert code == 2, shown
    assert "nobody answered, and nothing was written" in shown
    assert not list(tmp_path.glob("*.py"))
