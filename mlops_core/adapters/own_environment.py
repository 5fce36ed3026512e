"""An environment of its own for an engine whose pins fight ours: made once, found again."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from mlops_core.errors import MlopsError, NotFound

__all__ = ["OwnEnvironment"]


@dataclass(frozen=True, kw_only=True)
class OwnEnvironment:
    """What is installed there (`requirements`, in the versions of the file `constraints`) and how to find it.

    `variable` is the environment variable that may name an interpreter, `cache` the folder's name in the
    user's cache otherwise, `module` the module that makes it when it is run, `what` its name in messages.
    """

    what: str
    requirements: tuple[str, ...]
    constraints: Path
    variable: str
    cache: str
    module: str

    @property
    def command(self) -> str:
        """What makes it, but for the folder."""
        return f"python -m {self.module}"

    @property
    def cached(self) -> Path:
        """Where it is looked for unless the variable names an interpreter."""
        cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        return Path(cache, "mlops", self.cache)

    def make(self, folder: Path) -> Path:
        """Make it in `folder` and return its interpreter; a finished one stays.

        It is made with the Python that runs this (3.11 is what the versions were pinned for) and takes about
        a gigabyte. Raises `MlopsError` with pip's last line when it cannot be made.
        """
        python, done = _python_of(folder), folder / ".made-for-mlops"
        wanted = self.constraints.read_bytes()
        if not (done.exists() and done.read_bytes() == wanted):
            _run([sys.executable, "-m", "venv", "--clear", str(folder)])
            pinned = ["-c", str(self.constraints), *self.requirements]
            _run([str(python), "-m", "pip", "install", "--quiet", *pinned])
            done.write_bytes(wanted)
        return python

    def default_python(self) -> Path:
        """The interpreter that the variable names, or that of the cached environment.

        Raises `NotFound`, with what to do, when there is neither.
        """
        named = os.environ.get(self.variable)
        python = Path(named) if named else _python_of(self.cached)
        if not python.exists():
            raise NotFound(
                f"no Python with {self.what} at {python}. Make one with: {self.command} {self.cached} "
                f"(or name the interpreter of another in {self.variable})."
            )
        return python

    def main(self, arguments: list[str]) -> int:
        """Make it in the folder that is the only argument; returns the exit code."""
        if len(arguments) != 1 or arguments[0].startswith("-"):
            sys.stderr.write(f"usage: {self.command} FOLDER\n")
            return 2
        try:
            python = self.make(Path(arguments[0]))
        except MlopsError as error:
            sys.stderr.write(f"{error}\n")
            return error.exit_code
        sys.stdout.write(f"export {self.variable}={python.absolute()}\n")
        return 0


def _python_of(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - no shell
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()] or ["it said nothing"]
        raise MlopsError(f"{' '.join(command[:4])} failed: {said[-1][:500]}")
