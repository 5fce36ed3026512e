"""`python flows/<name>.py …`: a flow's parameters as options, its end as an exit code."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from flows import server
from flows.delivery import REJECTED
from mlops_core.commands.output import warn
from mlops_core.errors import MlopsError
from mlops_core.options import OptionParser, add_options
from mlops_core.summary import EXIT_REJECTED
from mlops_core.validation import validated

if TYPE_CHECKING:
    from prefect import Flow
    from prefect.client.schemas.objects import State
    from pydantic import BaseModel

__all__ = ["run_from_shell"]

EXIT_INTERRUPTED = 130  # as a shell says it of what Ctrl-C ended


def run_from_shell(flow: Flow[Any, Any], model: type[BaseModel]) -> int:
    """Run the flow with the options on the command line and return the exit code.

    0 done, 1 failed, 2 bad input, 3 rejected when `--fail-on-rejection` asked for it, 130 interrupted. What
    went wrong is one sentence on standard error; only an error that is not ours comes with its traceback.
    """
    call: Any = flow  # Prefect's overloads do not know flows of unknown parameters
    parser = OptionParser(prog=f"python flows/{flow.name}.py", description=_first_line(flow))
    add_options(parser, model)
    try:
        given = vars(parser.parse(None))
        given.pop("quiet", None)  # `server.start` has seen it: by now Prefect's log is set up
        validated(model, given)
        with server.ready():
            state: State[Any] = call(**given, return_state=True)
    except MlopsError as error:
        return _failed(error)
    except KeyboardInterrupt:  # Prefect has recorded it
        warn(f"{sys.argv[0]}: interrupted; what its finished stages made is kept: the same again goes on")
        return EXIT_INTERRUPTED
    if not state.is_failed() and not state.is_crashed():
        return 0
    if state.name == REJECTED:
        return EXIT_REJECTED
    reason = state.result(raise_on_failure=False)
    if isinstance(reason, MlopsError):
        return _failed(reason)
    raise reason


def _first_line(flow: Flow[Any, Any]) -> str:
    return (flow.description or "").partition("\n")[0]


def _failed(error: MlopsError) -> int:
    warn(f"{sys.argv[0]}: {error}")
    return error.exit_code
