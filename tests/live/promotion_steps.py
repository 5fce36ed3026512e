"""Run by `test_killed_promotion.py`: steps of a promotion, each in a child, which strace kills where told.

Imports MLflow and scikit-learn once, and then forks: so every step takes a tenth of a second.
Reads lines of JSON, `{"steps": [[STEP, ARGUMENT], …], "kill": [SYSTEM CALL, NUMBER]}` (or null), and answers
each with the child's process id and exit code.

strace is told to kill whoever makes its `LAST`th call of a kind, just before it is carried out, and counts by
process and kind. A child that is to die at its nth makes those that lack before it begins, in vain.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import traceback
from contextlib import suppress
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from mlops_core.domain.registry import Submission
from mlops_core.promotion import decide, enter, promote, registered, repair, serve
from mlops_core.settings import Settings
from mlops_core.wiring import ConfiguredEngines
from tests.promotion.desk import NAME, Desk

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CALLS", "LAST"]

LAST = 1_000
NONE = 999_999  # no open file
_SET_TRACER, _ANY = 0x59616D61, 2**64 - 1  # of <linux/prctl.h>
CALLS: dict[str, Callable[[], object]] = {  # what changes files and folders, called so that it does not
    "fdatasync": partial(os.fdatasync, NONE),
    "fsync": partial(os.fsync, NONE),
    "ftruncate": partial(os.ftruncate, NONE, 0),
    "mkdir": partial(os.mkdir, ""),
    "pwrite64": partial(os.pwrite, NONE, b"", 0),
    "rename": partial(os.rename, "", ""),
    "rmdir": partial(os.rmdir, ""),
    "unlink": partial(os.unlink, ""),
    "unlinkat": partial(os.unlink, "", dir_fd=NONE),
    "write": partial(os.write, NONE, b""),
}


def take(step: str, argument: str) -> None:
    """Take one step, as `mlops run`, `promote`, `rollback` and `registry verify` do."""
    desk = Desk(ConfiguredEngines(Settings.load()))
    engines = desk.engines
    match step:
        case "register":
            version = enter(
                engines, Submission.model_validate_json(engines.workspace.path(argument).read_bytes())
            )
            decide(engines, version, desk.decision(version))
        case "promote":
            desk.promote(registered(engines, NAME, int(argument)))
        case "promote unserved":
            version = registered(engines, NAME, int(argument))
            promote(engines, version, desk.policy, actor="ana", reason="it passed")
        case "roll back":
            desk.roll_back(int(argument))
        case "deploy":
            serve(engines, NAME, actor=engines.actor, reason="it was astray")
        case "repair":
            repair(engines, NAME)
        case _:
            raise SystemExit(f"no step {step!r}")


def spend(call: str, number: int) -> None:
    """Make calls of a kind so that the `number`th from here on is the last."""
    for _ in range(LAST - number):
        with suppress(OSError):
            CALLS[call]()


def child(steps: list[list[str]], kill: tuple[str, int] | None) -> None:
    """Take the steps, and do not come back."""
    try:
        if kill is not None:
            spend(*kill)
        for step, argument in steps:
            take(step, argument)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def main() -> None:
    """Answer until there is nothing more to read."""
    for module in ("mlflow.store.model_registry", "mlflow.store.tracking"):
        import_module(f"{module}.sqlalchemy_workspace_store")  # loaded once, not by every child
    for module in ("alembic.command", "sklearn.linear_model"):
        import_module(module)
    for module in ("adapters.registry.mlflow", "adapters.trainer.sklearn"):
        import_module(f"mlops_core.{module}")
    # Where only a parent may trace (Yama), let anyone of this user.
    ctypes.CDLL(None).prctl(_SET_TRACER, ctypes.c_ulong(_ANY), 0, 0, 0)
    for line in sys.stdin:
        told = json.loads(line)
        process = os.fork()
        if process == 0:
            child(told["steps"], told["kill"])
        code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        print(json.dumps([process, code]), flush=True)  # noqa: T201 - how it answers


if __name__ == "__main__":
    main()
