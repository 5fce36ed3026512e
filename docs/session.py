"""A page whose blocks are one session, done as a reader does it: `python -m docs.session PAGE FOLDER`.

- ```bash is run by bash. What it exports, and the folder it goes to, hold for the next block.
- ```bash title="terminal 2: …" goes on running to the end of the page.
- ```python title="NAME" and ```yaml title="NAME" are written into the file NAME.
- ```text behind a block is what that block must print: line by line in this order, where "…" stands for
  any lines, or any part of one. Figures, dates and digests are of their run and may differ; words may
  not. Behind one that goes on running, it is waited for.

Libraries that run Markdown were tried: Sybil 9.3, mktestdocs, pytest-markdown-docs, pytest-codeblocks and
doccmd. Only mktestdocs keeps a shell's state, by making one script of all blocks. None leaves a server
running, writes a block into the file of its title, or compares what is printed but for figures.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from docs.blocks import Block, blocks_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Session", "SessionError", "missing", "played"]

SECONDS = 900  # more than any block takes on a busy machine
_FIGURES = re.compile(r"\b(?=\w*\d)[\da-f]{7,}\b|\d[\d.,:]*")
_STATE = "\nexport -p > {0}/environment; pwd > {0}/folder\n"


class SessionError(AssertionError):
    """A block did not do what the page says."""


class Printed(NamedTuple):
    """What a block has printed so far; `ended` when that is all."""

    read: Callable[[], str]
    ended: bool


class Session:
    """A reader's terminals: one where block follows block, and others in which something goes on running."""

    def __init__(self, folder: Path, notes: Path, environment: Mapping[str, str]) -> None:
        self._folder, self._notes, self._variables = folder, notes, dict(environment)
        self._running: list[tuple[subprocess.Popen[bytes], Path]] = []
        (notes / "environment").touch()
        (notes / "folder").write_text(str(folder))

    def run(self, block: Block) -> Printed:
        """Run a block to its end."""
        code = f'set -eo pipefail\nsource {self._notes}/environment\ncd "$(cat {self._notes}/folder)"\n'
        code += block.code + _STATE.format(self._notes)
        done = subprocess.run(  # noqa: S603 - our own page
            ["/bin/bash", "-c", code],
            cwd=self._folder,
            env=self._variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        if done.returncode:
            raise SessionError(f"{block.where} ended with {done.returncode}:\n{block.code}\n{done.stdout}")
        return Printed(lambda: done.stdout, ended=True)

    def start(self, block: Block) -> Printed:
        """Start a block that goes on."""
        log = self._notes / f"terminal-{len(self._running)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - our own page
                ["/bin/bash", "-c", f"set -eo pipefail\n{block.code}"],
                cwd=self._folder,
                env=self._variables,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._running.append((process, log))

        def printed() -> str:
            text = log.read_text(errors="replace")
            if process.poll() is not None:
                raise SessionError(f"{block.where} ended with {process.returncode}:\n{text}")
            return text

        return Printed(printed, ended=False)

    def write(self, block: Block) -> None:
        """Put a block into the file that its title names."""
        (self._folder / block.options["title"]).write_text(block.code)

    def close(self) -> None:
        """End what goes on, the last first."""
        for process, _ in reversed(self._running):
            for how in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
                if process.poll() is None:
                    os.killpg(process.pid, how)
                    try:
                        process.wait(timeout=30)
                    except subprocess.TimeoutExpired:
                        continue


def missing(expected: str, printed: str) -> str | None:
    """The first line that was to be printed, and was not."""
    lines = iter([_shape(line) for line in printed.splitlines()])
    for line in expected.splitlines():
        parts = [re.escape(part.strip()) for part in _shape(line).split("…")]
        wanted = re.compile(r"\s*.*\s*".join(parts))
        if any(parts) and not any(wanted.fullmatch(had) for had in lines):
            return line
    return None


def _shape(line: str) -> str:
    return re.sub(r"\s+", " ", _FIGURES.sub("#", line)).strip()


def played(
    page: Path,
    session: Session,
    say: Callable[[str], object] = lambda _: None,
    swaps: Mapping[str, str] | None = None,
) -> dict[str, float]:
    """Do what a page says, from its top; returns the seconds that each of its sections took.

    `swaps` are words of the page and what to take in their place, such as a port that is free here.

    Raises `SessionError` for the first block that fails, or prints something else than the page says.
    """
    took: dict[str, float] = {}
    printed = Printed(str, ended=True)
    for found in blocks_of(page):
        block = _swapped(found, swaps or {})
        began = time.monotonic()
        title = block.options.get("title", "")
        match block.language:
            case "bash" if title.startswith("terminal"):
                printed = session.start(block)
            case "bash":
                printed = session.run(block)
            case "python" | "yaml" if title:
                session.write(block)
            case "text":
                _await(block, printed)
            case other:
                raise SessionError(
                    f"{block.where}: what is to be done with a block of {other or 'no language'}?"
                )
        seconds = time.monotonic() - began
        took[block.section] = took.get(block.section, 0.0) + seconds
        say(f"{block.where}  {seconds:.1f} s  {block.first}")
    return took


def _swapped(block: Block, swaps: Mapping[str, str]) -> Block:
    code = block.code
    for word, instead in swaps.items():
        code = code.replace(word, instead)
    return replace(block, code=code)


def _await(block: Block, printed: Printed) -> None:
    """Wait until what goes on has printed what the block says; what has ended prints no more."""
    deadline = time.monotonic() + (0 if printed.ended else SECONDS)
    while (line := missing(block.code, text := printed.read())) is not None:
        if time.monotonic() > deadline:
            raise SessionError(f"{block.where}: not printed: {line}\nbut:\n{text}")
        time.sleep(0.5)


def main(arguments: list[str]) -> int:
    """Do a page in a folder that holds a checkout; says how long each section took."""
    if len(arguments) != 2:
        sys.stderr.write("usage: python -m docs.session PAGE FOLDER\n")
        return 2
    page, folder = Path(arguments[0]), Path(arguments[1]).resolve()
    notes = folder / ".session"
    notes.mkdir(exist_ok=True)
    session = Session(folder, notes, os.environ)
    try:
        took = played(page, session, lambda line: sys.stderr.write(line + "\n"))
    except SessionError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        session.close()
    sys.stdout.write("".join(f"| {section} | {seconds:.0f} s |\n" for section, seconds in took.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
