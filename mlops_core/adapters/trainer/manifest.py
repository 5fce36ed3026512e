"""The file beside a saved model that says what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, ValidationError

from mlops_core.domain.candidates import AnyCandidate
from mlops_core.domain.value import Value
from mlops_core.errors import IntegrityError, NotFound

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ModelManifest"]

_NAME = "model.json"


class ModelManifest(Value):
    """What was fitted and what came of it; `digest` is that of the fitted state, not of any file."""

    format: Literal[1] = 1
    candidate: AnyCandidate
    features: int = Field(ge=1)
    digest: str
    libraries: dict[str, str] = Field(description="version by distribution name, when it was fitted")

    def write(self, folder: Path) -> None:
        """Write it into a model's folder."""
        (folder / _NAME).write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> ModelManifest:
        """Read it; raises `NotFound` when there is none, `IntegrityError` when it is not one."""
        path = folder / _NAME
        if not path.is_file():
            raise NotFound(f"there is no model in {folder}: {_NAME} is missing")
        try:
            return cls.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise IntegrityError(
                f"{path} is no model manifest of format 1 ({error.error_count()} faults, the first:"
                f" {error.errors()[0]['msg']}); fetch the model again"
            ) from error
