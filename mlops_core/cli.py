"""`mlops …`: one verb, then the use case.

Exit codes: 0 done, 1 failed, 2 bad input, 3 rejected (when asked for), 75 worth another attempt
(`mlops task run`), 99 nobody is asked (`mlops task question`), 130 interrupted.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from typing import TYPE_CHECKING

from mlops_core.commands.display import display
from mlops_core.commands.output import warn
from mlops_core.commands.overview import Program
from mlops_core.errors import MlopsError
from mlops_core.options import OptionParser

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

__all__ = ["main"]

_INTERRUPTED = 130  # as a shell says it of what Ctrl-C ended


def main(words: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; what went wrong is one sentence on standard error.

    Without `words` it is the whole program, whose words they are then.
    """
    if words is not None:
        return _run(list(words))
    code = _run(sys.argv[1:])
    _end_if_given_up(code)
    return code


def _run(words: list[str]) -> int:
    try:
        parser = _parser([word for word in words if word != "--quiet"])
        arguments = parser.parse(words)
        if "command" not in arguments:
            parser.print_help()
            return 0
        code = _shown(arguments, parser.verb(words))
    except MlopsError as error:
        warn(f"mlops: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        warn("mlops: interrupted; run the same command again to go on")
        return _INTERRUPTED
    except BrokenPipeError:  # the reader of our output went away, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


def _shown(arguments: argparse.Namespace, verb: str) -> int:
    """Run the command with its progress on standard error, by `arguments.display`; its exit code."""
    log: int | None = getattr(arguments, "log", logging.WARNING)
    with display(verb, quiet="quiet" in arguments, log=log) as arguments.display:
        code: int = arguments.command(arguments)
    return code


def _end_if_given_up(code: int) -> None:
    """End the process at once where an attempt that took too long is still at work in its thread, or any may.

    Python would take such a thread down when it next wants the interpreter, and in the middle of C++ (DuckDB,
    Arrow) that aborts the process: exit code 134 in place of ours.
    """
    if code == _INTERRUPTED or any(
        thread.name.startswith("task ") and thread.daemon for thread in threading.enumerate()
    ):
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _parser(words: Sequence[str]) -> OptionParser:
    from mlops_core.commands import (
        approvals,
        canary,
        completion,
        doctor,
        evidence,
        export,
        features,
        gate,
        gc,
        github,
        history,
        lineage,
        models,
        new,
        plan,
        predict,
        promote,
        registry,
        reproduce,
        run,
        serve,
        task,
        traffic,
    )

    parser = Program(prog="mlops")
    verbs = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=OptionParser)
    modules = (
        new,
        run,
        plan,
        features,
        models,
        gate,
        approvals,
        canary,
        traffic,
        promote,
        github,
        history,
        lineage,
        evidence,
        reproduce,
        registry,
        gc,
        predict,
        serve,
        export,
        task,
        doctor,
        completion,
    )
    for module in modules:
        module.add(verbs, words)
    return parser


if __name__ == "__main__":
    sys.exit(main())
