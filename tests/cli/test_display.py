"""What is seen of a command while it is at work: on a terminal, elsewhere, and when nothing is wanted."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from mlops_core.cli import main
from mlops_core.commands.display import Step, _Lines
from mlops_core.progress import Progress

PROJECT = Path(__file__).parents[2]
SLOW = """
import os, signal, sys, time
from mlops_core.commands import display
from mlops_core.commands.output import say
from mlops_core.dag import PipelineDAG, Task
from mlops_core.progress import tell
display.SOON, display.FIRST, display.EVERY = 0.03, 0.05, 0.15

def fit(context):
    for share in range(9):
        tell("fitting trees", share / 10)
        time.sleep(0.05)
    if "fail" in sys.argv:
        raise ValueError("no trees")
    if "terminate" in sys.argv:
        os.kill(os.getpid(), signal.SIGTERM)
    if "interrupt" in sys.argv:
        raise KeyboardInterrupt

with display.display("run", quiet="quiet" in sys.argv) as shown:
    dag = PipelineDAG([Task("events", lambda context: 1), Task("fit", fit, ("events",))])
    shown.watched(dag).run({}, max_workers=2, hooks=shown.hooks)
    say('{"done": true}')
"""
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-9][0-9;]*m|\x1b\[[0-9;]*38;")
TAKEN_BACK, CURSOR = "\x1b[1A", "\x1b[?25h"


def variables(**more: str) -> dict[str, str]:
    """An environment that says nothing of terminals but `more`."""
    aside = {"CI", "NO_COLOR", "FORCE_COLOR", "TERM", "COLORTERM", "COLUMNS"}  # all that says how
    kept = {name: value for name, value in os.environ.items() if name not in aside}
    return {**kept, "TERM": "xterm-256color", **more}


def on_terminal(*words: str, columns: int = 80, **more: str) -> tuple[str, str]:
    """What a slow run writes on a terminal, which is its standard error, and into a pipe."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(  # noqa: S603 - our own words
        [sys.executable, "-c", SLOW, *words],
        env=variables(**more),
        cwd=PROJECT,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    seen = b""
    try:
        while part := os.read(ours, 4096):
            seen += part
    except OSError:  # so Linux says that nobody is on the other side any more
        pass
    os.close(ours)
    out, _ = process.communicate(timeout=30)
    return seen.decode(), out.decode()


def in_pipe(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """The same with both streams piped."""
    return subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", SLOW, *words],
        env=variables(**more),
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_terminal_shows_what_is_under_way_and_keeps_what_is_over() -> None:
    """In place, with a bar and its share; then it is gone, the cursor is back, and results went elsewhere."""
    seen, out = on_terminal()
    assert "fitting trees" in seen
    assert re.search(r"[1-8]0 %", seen)
    assert COLOUR.search(seen)
    assert "fit: finished in" in CONTROL.sub("", seen)
    assert seen.rindex(CURSOR) > seen.rindex("fitting trees")
    assert json.loads(out) == {"done": True}


@pytest.mark.live
def test_a_narrow_terminal_gets_rows_that_fit() -> None:
    """Forty columns: the task, its share and its time, and no row so wide that it would wrap."""
    seen, _ = on_terminal(columns=40)
    rows = [CONTROL.sub("", row) for row in re.split(r"[\r\n]+", seen)]
    assert any("fit" in row and " %" in row for row in rows)
    assert max(map(len, rows)) < 40


@pytest.mark.live
@pytest.mark.parametrize(
    ("more", "coloured"),
    [({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False)],
)
def test_no_color_is_respected(more: dict[str, str], coloured: bool) -> None:
    """As no-color.org has it: any value that is not empty; the display itself stays."""
    seen, _ = on_terminal(columns=80, **more)
    assert "fitting trees" in seen
    assert bool(COLOUR.search(seen)) == coloured


@pytest.mark.live
@pytest.mark.parametrize("more", [{"TERM": "dumb"}, {"CI": "true"}])
def test_a_terminal_that_takes_nothing_back_gets_plain_lines(more: dict[str, str]) -> None:
    seen, _ = on_terminal(columns=80, **more)
    assert "fit: fitting trees, " in seen
    assert "\x1b" not in seen


def test_a_pipe_gets_plain_lines_and_few_of_them() -> None:
    """What is told of nine times in half a second is said every 0.15 s; standard output has results alone."""
    done = in_pipe()
    assert "\x1b" not in done.stderr
    assert 1 <= done.stderr.count("fit: fitting trees, ") <= 6
    assert done.stderr.splitlines()[-1].startswith("fit: finished in ")
    assert done.stdout == '{"done": true}\n'


@pytest.mark.live
@pytest.mark.parametrize(("more", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colours_are_forced_where_there_is_no_terminal(more: dict[str, str], coloured: bool) -> None:
    """A failure is red then; nothing is ever taken back in a pipe."""
    done = in_pipe("fail", FORCE_COLOR="1", **more)
    assert bool(COLOUR.search(done.stderr)) == coloured
    assert TAKEN_BACK not in done.stderr


@pytest.mark.live
def test_quiet_shows_nothing() -> None:
    seen, out = on_terminal("quiet")
    assert (seen, json.loads(out)) == ("", {"done": True})
    assert in_pipe("quiet").stderr == ""


@pytest.mark.parametrize(
    ("told", "seconds", "lines"), [(False, 3, 0), (False, 6, 1), (True, 1, 0), (True, 3, 1)]
)
def test_a_mere_name_is_said_later_than_what_a_step_tells(
    capsys: pytest.CaptureFixture[str], told: bool, seconds: float, lines: int
) -> None:
    """It is no news; of a verb that is over in two or three seconds a pipe gets no line."""
    step = Step("predict", begun=time.monotonic() - seconds)
    if told:
        step.hear(Progress("reading", 0.5))
    _Lines().look([step])
    assert capsys.readouterr().err.count("predict: ") == lines


@pytest.mark.live
def test_no_cursor_is_hidden_that_a_killed_run_could_not_bring_back() -> None:
    """SIGTERM in the middle of it: the last word on the cursor is that it is shown."""
    seen, _ = on_terminal("terminate")
    assert "fitting trees" in seen
    assert seen.rindex(CURSOR) > seen.rindex("\x1b[?25l")


@pytest.mark.live
def test_the_cursor_comes_back_when_a_run_is_interrupted() -> None:
    """And what was under way is taken away before anything else is said."""
    seen, out = on_terminal("interrupt")
    assert seen.rindex(CURSOR) > seen.rindex("fitting trees")
    assert seen.rindex("KeyboardInterrupt") > seen.rindex(CURSOR)
    assert out == ""


@pytest.mark.parametrize(
    "words", [["--quiet", "features", "list", "churn"], ["features", "list", "churn", "--quiet"]]
)
def test_quiet_may_stand_before_the_verb_and_after_it(words: list[str]) -> None:
    assert main(words) == 0


def test_a_command_that_is_over_at_once_imports_no_rich() -> None:
    """Nor does help: who waits for nothing pays for nothing."""
    code = (
        "import sys; from mlops_core.cli import main; main(['gc', '--older-than', 'soon']);"
        "sys.exit('rich' in sys.modules)"
    )
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", code], env=variables(), cwd=PROJECT, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
