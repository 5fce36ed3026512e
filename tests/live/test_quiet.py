"""Runs by hand are offline and quiet: nothing leaves the machine or stays behind, errors are one sentence."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.live.conftest import Environment

pytestmark = pytest.mark.live

SLOW = Path(__file__).with_name("slow_flow.py")
WATCH = """
import os, sys

def watch(event, words):
    if event == "socket.connect" and isinstance(words[1], tuple):
        told = words[1][0]
    elif event == "socket.getaddrinfo":
        told = words[0]
    else:
        return
    with open(os.environ["WATCHED"], "a") as file:
        print(told, file=file)

sys.addaudithook(watch)
"""
COLOUR = re.compile(r"\x1b\[[0-9;]*[39][0-7]m")  # of the text, as Prefect's console sets it
HERE = {"127.0.0.1", "localhost", "::1", "None", "0.0.0.0", "::"}  # noqa: S104 - nothing is bound to it


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory: pytest.TempPathFactory, environment: type[Environment]) -> Environment:
    """A person's shell: nothing of ours or Prefect's is set, no telemetry forbidden. Keeps who is asked."""
    folder = tmp_path_factory.mktemp("hand")
    (folder / "sitecustomize.py").write_text(WATCH)
    found = environment(folder / "state", folder / "prefect", PYTHONPATH=str(folder))
    kept = {name: value for name, value in found.variables.items() if name not in ("DO_NOT_TRACK", "CI")}
    found.variables = {**kept, "WATCHED": str(folder / "watched.txt"), "PYTHONWARNINGS": "default"}
    return found


@pytest.fixture
def ended(by_hand: Environment, until: Callable[..., Any]) -> Callable[[], None]:
    """Waits until no process of a run is left, its server included."""
    return lambda: until(lambda: not by_hand.processes(), "the run's server to end")


def test_a_run_asks_nobody_outside_and_warns_of_nothing(
    by_hand: Environment, project: Path, ended: Callable[[], None]
) -> None:
    """On a terminal, in a new home: where Prefect would ask for leave to tell how it is used."""
    said = on_terminal(by_hand, project / "flows" / "simulator.py")
    ended()
    lines = said.splitlines()
    assert "Finished in state" in lines[-1]
    assert [line for line in lines if "INFO" not in line] == []
    asked = set(Path(by_hand.variables["WATCHED"]).read_text().split())
    assert "127.0.0.1" in asked
    assert asked <= HERE


def test_prefect_s_lines_have_no_colour_where_none_is_wanted(
    by_hand: Environment, project: Path, ended: Callable[[], None]
) -> None:
    """`NO_COLOR`, as everything else here has it; without it they are coloured."""
    script = project / "flows" / "simulator.py"
    plain, coloured = on_terminal(by_hand, script, NO_COLOR="1"), on_terminal(by_hand, script)
    ended()
    assert "Finished in state" in plain
    assert (COLOUR.search(plain), bool(COLOUR.search(coloured))) == (None, True)


def test_a_flow_that_is_told_to_be_quiet_says_nothing(
    by_hand: Environment, project: Path, ended: Callable[[], None]
) -> None:
    """All went well, and this one prints no result."""
    assert on_terminal(by_hand, project / "flows" / "simulator.py", "--quiet") == ""
    ended()


def on_terminal(environment: Environment, script: Path, *words: str, **more: str) -> str:
    """What a script says on a terminal of its own; it has to succeed."""
    ours, theirs = pty.openpty()
    variables = {**environment.variables, "TERM": "xterm-256color", **more}
    process = subprocess.Popen(  # noqa: S603 - our own words
        [sys.executable, script, *words], env=variables, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    said = b""
    try:
        while part := os.read(ours, 4096):
            said += part
    except OSError:  # so Linux says that nobody is on the other side any more
        pass
    os.close(ours)
    assert process.wait() == 0, said.decode()
    return said.decode()


def test_a_setting_that_is_wrong_is_one_sentence(
    by_hand: Environment, project: Path, ended: Callable[[], None]
) -> None:
    """And no traceback, neither ours nor Prefect's."""
    variables = {**by_hand.variables, "MLOPS_NOTIFY": "ops"}
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, project / "flows" / "simulator.py"],
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    ended()
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "the setting MLOPS_NOTIFY cannot be used" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM), (signal.SIGKILL, -signal.SIGKILL)],
    ids=["ctrl-c", "terminated", "killed"],
)
def test_no_server_outlives_a_run_that_is_ended(
    by_hand: Environment,
    tmp_path: Path,
    until: Callable[..., Any],
    ended: Callable[[], None],
    number: signal.Signals,
    code: int,
) -> None:
    """However it is ended; and what is left on the terminal is no traceback."""
    log = tmp_path / "log.txt"
    process = by_hand.start("python", SLOW, cwd=tmp_path, log=log)
    until(lambda: "waiting" in log.read_text() or process.poll() is not None, "the run")
    process.send_signal(number)
    assert process.wait() == code, log.read_text()
    ended()
    said = log.read_text()
    assert "Traceback" not in said
    assert ("Crashed" in said) == (number != signal.SIGKILL)
