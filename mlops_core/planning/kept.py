"""Outputs of a stage that are kept, by the inputs that they were made from."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

from mlops_core.domain.inputs import Inputs

if TYPE_CHECKING:
    from mlops_core.workspace import Workspace

__all__ = ["kept_inputs", "made_at"]


def kept_inputs(workspace: Workspace, stage: str) -> list[Inputs]:
    """The inputs of every output of a stage; whether it is undamaged, `Workspace.find` says.

    One whose record cannot be read is passed over: it is of no use either.
    """
    found = []
    for record in sorted((workspace.home / "stages" / stage).glob("[!.]*/receipt.json")):
        with suppress(OSError, ValueError, KeyError, TypeError):
            found.append(Inputs.model_validate(json.loads(record.read_bytes())["inputs"]))
    return found


def made_at(workspace: Workspace, inputs: Inputs) -> float | None:
    """When the output of `inputs` was written, in seconds since 1970; None when it is not there."""
    try:
        return (workspace.folder(inputs) / "receipt.json").stat().st_mtime
    except OSError:
        return None
