"""Watches the stages of every Python process that has this folder on its PYTHONPATH, and makes them fail.

Python imports a module of this name when it starts. So whatever runs the commands of `mlops` or a flow, they
are those that a user runs, from unchanged files: the methods that the tasks call are wrapped when
`mlops_core.pipeline` is imported, and the digests of code, which are of the source, stay as they are.

Each attempt at a task leaves a line in the file that PARITY_LOG names, as JSON: the task, and, once it is
over, its seconds and the class of its error. PARITY_FAULT is TASK=ERROR, the error that the task raises:
`MlopsError` always, for it is never retried; `Unavailable` in its first attempt alone.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import sys
import time
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.machinery import ModuleSpec

_WATCHED = "mlops_core.pipeline"


class _Watch(MetaPathFinder):
    """Finds the module as it would be found, and wraps its stages once it has been executed."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:  # noqa: ARG002 - Python's signature
        if name != _WATCHED:
            return None
        sys.meta_path.remove(self)  # what is found now is what would be found without it
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            loader: Any = spec.loader  # its method is replaced, which types forbid
            loader.exec_module = functools.partial(_execute, loader.exec_module)
        return spec


def _execute(execute: Callable[[Any], None], module: Any) -> None:
    from mlops_core.domain.receipts import RECEIPTS

    execute(module)
    for name in RECEIPTS:
        method = getattr(module._Stages, name)
        setattr(module._Stages, name, _around(name, method))


def _around(stage: str, method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def watched(self: Any, *arguments: Any) -> Any:
        *candidate, _ = arguments  # the last one is the context
        task = ".".join([stage, *(one.name for one in candidate)])
        before = _attempts(task)
        _note(task=task)
        start = time.perf_counter()
        try:
            _fail(task, before)
            receipt = method(self, *arguments)
        except Exception as error:
            _note(task=task, seconds=time.perf_counter() - start, error=type(error).__name__)
            raise
        _note(task=task, seconds=time.perf_counter() - start, error=None)
        return receipt

    return watched


def _fail(task: str, before: int) -> None:
    from mlops_core import errors

    place, _, kind = os.environ.get("PARITY_FAULT", "").partition("=")
    if place == task and (kind == "MlopsError" or not before):
        raise getattr(errors, kind)(f"{task}: made to fail")


def _attempts(task: str) -> int:
    log = Path(os.environ["PARITY_LOG"])
    lines = log.read_text().splitlines() if log.exists() else []
    return sum(json.loads(line) == {"task": task} for line in lines)


def _note(**facts: Any) -> None:
    with Path(os.environ["PARITY_LOG"]).open("a") as log:  # one write of a short line: processes do not mix
        log.write(json.dumps(facts) + "\n")


if "PARITY_LOG" in os.environ:
    sys.meta_path.insert(0, _Watch())
