"""`--outputs FILE`: what a command found, as lines that later steps of a workflow read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mlops_core.commands.output import one_line
from mlops_core.errors import BadInput

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

__all__ = ["add_outputs", "write_outputs"]


def add_outputs(parser: argparse.ArgumentParser, names: str) -> None:
    """Add the option; `names` says which lines there will be."""
    parser.add_argument(
        "--outputs",
        metavar="FILE",
        help=f"append lines name=value to this file, such as $GITHUB_OUTPUT: {names}",
    )


def write_outputs(file: str | None, values: Mapping[str, str]) -> None:
    """Append one line a value; nothing without a file.

    A value is one line whatever it came from: a second one would be an output that somebody else chose.
    Raises `BadInput` when the file cannot be written.
    """
    if file is None:
        return
    lines = "".join(f"{name}={one_line(value)}\n" for name, value in values.items())
    try:
        with Path(file).open("a", encoding="utf-8") as out:
            out.write(lines)
    except OSError as error:
        raise BadInput(f"--outputs: cannot write to {file!r}: {error.strerror or error}") from error
