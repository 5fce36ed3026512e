"""What goes into a stage's result: equal inputs, equal results; and what differs between two of them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from mlops_core.domain.digest import digest_of
from mlops_core.domain.value import Value

__all__ = ["Inputs", "Part"]

Part = Literal["data", "definitions", "parameters", "code", "libraries"]


class Inputs(Value):
    """Everything that decides what a stage makes. `stage` is the task's name: "model_training.logistic".

    `data` are digests of what it reads, by name; `definitions` those parts of the use case that it uses, as
    JSON, so that a difference can be said in words; `parameters` what the run was told; `code` the digest of
    each definition that it uses, by module:name; `libraries` their versions. The use case's name decides
    nothing, and is no part of the key.
    """

    stage: str
    use_case: str
    data: dict[str, str] = Field(default_factory=dict)
    definitions: dict[str, Any] = Field(default_factory=dict)
    parameters: dict[str, Any] = Field(default_factory=dict)
    code: dict[str, str] = Field(default_factory=dict)
    libraries: dict[str, str] = Field(default_factory=dict)

    @property
    def key(self) -> str:
        """Names the result."""
        parts = [self.data, self.definitions, self.parameters, self.code, self.libraries]
        return digest_of([self.stage, *parts])
