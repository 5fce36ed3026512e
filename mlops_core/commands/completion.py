"""`mlops completion SHELL`: a script by which a shell completes verbs, options, choices, use cases and files.

The script holds all it needs, so that TAB is answered at once: a program that is asked anew at every TAB, as
argcomplete does it, is a Python that starts. It is made by shtab, which is not needed afterwards.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_core.commands.output import say
from mlops_core.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["add"]

_SHELLS = ("bash", "zsh", "fish")
_USE = """\
for one session: eval "$(mlops completion bash)", the same with zsh; mlops completion fish | source.
For every one: put that line into ~/.bashrc or ~/.zshrc (there after compinit), or write the script to
~/.config/fish/completions/mlops.fish. Make it anew after an upgrade."""


def add(verbs: Any, words: Sequence[str]) -> None:  # noqa: ARG001 - every verb is added the same way
    """Add the verb."""
    parser = verbs.add_parser("completion", help="a script by which your shell completes mlops", epilog=_USE)
    parser.add_argument("shell", choices=_SHELLS, help="whose script to print")
    parser.set_defaults(command=_completion)


def _completion(arguments: argparse.Namespace) -> int:
    try:
        import shtab
    except ImportError as error:
        raise NotFound("shtab is not installed, which writes the script: pip install shtab") from error
    from mlops_core.usecases.find import find, names

    cases = names()
    candidates = list(dict.fromkeys(one.name for case in cases for one in find(case).candidates))
    program: argparse.ArgumentParser = arguments.program
    for parser in _all(program):
        for action in parser._actions:
            _describe(action, {"use_case": cases, "candidates": candidates}, shtab)
    say(shtab.complete(program, shell=arguments.shell))
    return 0


def _all(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """The parser and those of its verbs, which argparse keeps in these attributes only."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for verb in action.choices.values():
                yield from _all(verb)


def _describe(action: argparse.Action, named: Mapping[str, Sequence[str]], shtab: Any) -> None:
    """Tell what may stand there; nothing is parsed with this parser any more."""
    metavar = action.metavar if isinstance(action.metavar, str) else ""
    if action.dest in named:
        action.choices = named[action.dest]
    elif metavar.startswith("FILE") or action.type is Path:
        action.complete = shtab.FILE  # type: ignore[attr-defined] # the attribute is shtab's own
    elif metavar in ("FOLDER", "DIR"):
        action.complete = shtab.DIRECTORY  # type: ignore[attr-defined] # as above
    elif action.choices is None and "|" in metavar:
        action.choices = metavar.split("|")
