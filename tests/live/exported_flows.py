"""Runs exported flows one after the other, and prints a line of JSON for each: how it and its tasks ended."""

from __future__ import annotations

import json
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from prefect import Flow, Task

SUBMIT: Any = Task.submit


def found(file: str) -> Flow[Any, Any]:
    """The flow in a file."""
    name = Path(file).stem
    spec = spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    (flow,) = (one for one in vars(module).values() if isinstance(one, Flow))
    return flow


def remember(futures: dict[str, Any]) -> Any:
    """Prefect's submit, which notes each task's future."""

    def noted(task: Any, *arguments: Any, **options: Any) -> Any:
        futures[task.name] = SUBMIT(task, *arguments, **options)
        return futures[task.name]

    return noted


if __name__ == "__main__":
    for file in sys.argv[1:]:
        futures: dict[str, Any] = {}
        Task.submit = remember(futures)  # type: ignore[method-assign]  # to see how each task ends
        state: Any = found(file)(return_state=True)
        ends = {name: future.state.name for name, future in futures.items()}
        told = {"type": state.type.value, "state": state.name, "message": state.message, "tasks": ends}
        print(json.dumps(told), flush=True)  # noqa: T201 - what this is for
