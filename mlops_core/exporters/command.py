"""How other orchestrators call a stage: as `mlops task run`, in a process of its own."""

from __future__ import annotations

import json
import shlex
import unicodedata
from typing import TYPE_CHECKING

from mlops_core.domain.pipeline import Retry
from mlops_core.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_core.domain.pipeline import Parameter, PipelineDocument, TaskEntry

__all__ = ["command_of", "export_command", "retry_words"]


def command_of(
    document: PipelineDocument, task: TaskEntry, form: Sequence[Parameter], *, retries: bool
) -> list[str]:
    """The words of the command that runs a task, but for the run's folder and what the form says.

    With `retries` the process makes all attempts itself, otherwise one: it ends with exit code 75 where the
    task's policy wants another. Tasks that begin the pipeline are told what is fixed at export.

    Raises `BadInput` for a name that no command line can hold.
    """
    for name in (document.use_case, task.name):
        if name.startswith("-") or any(unicodedata.category(sign).startswith("C") for sign in name):
            raise BadInput(
                f"task {task.name!r} of {document.use_case!r}: a command cannot be told a name that begins "
                "with a dash or has control characters: name it otherwise"
            )
    words = ["mlops", "task", "run", document.use_case, task.name]
    told = retry_words(task.retry if retries else Retry(retry_on=task.retry.retry_on))
    words += ["--retry", told] if told else []
    words += ["--timeout", _number(task.timeout_seconds)] if task.timeout_seconds is not None else []
    fixed = {
        name: value for name, value in document.parameters.items() if name not in {one.name for one in form}
    }
    if fixed and not task.upstream:
        words += ["--parameters", json.dumps(fixed, ensure_ascii=False)]
    return words


def retry_words(retry: Retry) -> str:
    """A policy as `--retry` takes it: what differs from the defaults, such as attempts=4,jitter=0.2."""
    told = retry.model_dump(exclude_defaults=True)
    if "retry_on" in told:
        told["retry_on"] = "+".join(told["retry_on"])
    return ",".join(f"{name}={value}" for name, value in told.items())


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() else str(value)


def export_command(document: PipelineDocument, target: str) -> str:
    """The command that makes an export again, on one line; its head says so in every exported file."""
    words = ["mlops", "export", document.use_case, "--to", target]
    for name, value in document.parameters.items():
        option = f"--{name.replace('_', '-')}"
        if isinstance(value, bool):
            words.append(option if value else f"--no-{option.removeprefix('--')}")
        elif value is not None:
            words += [option, *map(str, value if isinstance(value, list) else [value])]
    if document.schedule is not None:
        words += ["--schedule", document.schedule.cron, "--timezone", document.schedule.timezone]
    return "".join(sign if sign.isprintable() else "?" for sign in shlex.join(words))
