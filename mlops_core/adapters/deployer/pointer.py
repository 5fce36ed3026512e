"""The pointer `current.json`: which release of a name is served."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field, ValidationError

from mlops_core.disk import replace_file, translated
from mlops_core.domain.value import Value
from mlops_core.errors import IntegrityError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FOLDER", "Pointer", "pointer_or_none"]

FOLDER = r"^[0-9]{1,18}-[0-9a-f]{12}$"
"""What a release's folder is called: an edited pointer cannot lead out of the folder that it lies in."""

_FILE = "current.json"


class Pointer(Value):
    """A release's folder beside the pointer, and the digest of its manifest's bytes."""

    release: Annotated[str, Field(pattern=FOLDER)]
    manifest_digest: str

    @classmethod
    def content(cls, base: Path) -> bytes | None:
        """The bytes of the pointer in `base`, unparsed; None when there is none."""
        with translated("read the pointer", base):
            try:
                return (base / _FILE).read_bytes()
            except FileNotFoundError:
                return None

    @classmethod
    def read(cls, base: Path) -> Pointer | None:
        """The pointer in `base`, None when there is none. Raises `IntegrityError` when it cannot be one."""
        content = cls.content(base)
        if content is None:
            return None
        try:
            return cls.model_validate_json(content)
        except ValidationError as error:
            raise cls.astray(base, "is not a pointer to a release") from error

    @staticmethod
    def astray(base: Path, what: str) -> IntegrityError:
        """The error for a pointer that cannot be followed."""
        return IntegrityError(
            f"{base / _FILE} {what}. Deliver again with `mlops run {base.name}`, which replaces it"
        )

    def write(self, base: Path) -> None:
        """Make this the pointer in `base`, in one step; untouched when it already is."""
        content = self.model_dump_json().encode()
        if self.content(base) != content:
            with translated("replace the pointer", base):
                replace_file(base / _FILE, content)


def pointer_or_none(base: Path) -> Pointer | None:
    """The pointer in `base`; None as well for a damaged one, which vouches for nothing."""
    try:
        return Pointer.read(base)
    except IntegrityError:
        return None
