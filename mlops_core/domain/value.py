"""The base of every value that travels between stages."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

__all__ = ["Value"]


class Value(BaseModel):
    """A frozen value, parsed once: unknown fields are refused, NaN never hides in a number.

    Equality is by content, and `model_dump(mode="json")` is its canonical form: what a digest is made of
    (`mlops_core.domain.digest.digest_of`) and what is written to disk.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)
