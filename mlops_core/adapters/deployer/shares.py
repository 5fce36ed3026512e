"""The share that a release on trial has of a name's callers, as files beside the pointer.

::

    share.json               which release, how much of the traffic, beside which release that serves
    share-ended.json         a server took it back: which one, when and why
    share-<server>.json      how many requests a server has given it

A share counts only beside the release that it was given beside: so the step that makes another release
current ends it as well, and a process that is killed right after that step leaves nothing half done. Which
share the other files are about, they say by the digest of share.json: those of an earlier one mean nothing.
All are written under the deployer's lock.
"""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic reads it at run time
from typing import TYPE_CHECKING, Annotated, TypeVar

from pydantic import Field, ValidationError

from mlops_core.adapters.deployer.pointer import FOLDER, Pointer
from mlops_core.disk import replace_file, sync, translated
from mlops_core.domain.digest import digest_bytes
from mlops_core.domain.trial import Tally, Terms, Verdict
from mlops_core.errors import IntegrityError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["LocalShares", "SharePointer"]

_FILE = "share.json"
_ENDED = "share-ended.json"
_TALLIES = "share-*.json"

Told = TypeVar("Told", bound=Tally)


class SharePointer(Pointer):
    """A share of the traffic for the release that this points to; `beside` is the folder of what serves."""

    beside: Annotated[str, Field(pattern=FOLDER)]
    terms: Terms
    began: datetime

    def same_as(self, other: SharePointer) -> bool:
        """Whether both are the same share, whenever it began."""
        return self == other.model_copy(update={"began": self.began})


class LocalShares:
    """The share of the name whose releases lie in `base`."""

    def __init__(self, base: Path) -> None:
        self._base = base

    def mark(self) -> tuple[bytes | None, bytes | None]:
        """What differs whenever the share, or the verdict on it, does."""
        return self._content(_FILE), self._content(_ENDED)

    def read(self) -> tuple[SharePointer, str] | None:
        """The share as it was written, and its name; None when there is none.

        Raises `IntegrityError` when the file cannot be one.
        """
        content = self._content(_FILE)
        if content is None:
            return None
        try:
            return SharePointer.model_validate_json(content), digest_bytes(content)
        except ValidationError as error:
            raise IntegrityError(
                f"{self._base / _FILE} is no share of the traffic of {self._base.name!r}, so what serves "
                f"answers all callers. Share it again or remove it, with `mlops traffic {self._base.name}`"
            ) from error

    def standing(self, pointer: Pointer | None) -> tuple[SharePointer, str] | None:
        """The same, when it was given beside the release that `pointer` points to."""
        found = self.read()
        return found if found and pointer and found[0].beside == pointer.release else None

    def ended(self, share: str) -> Verdict | None:
        """Why the servers took it back; None while they have not."""
        told = self._told(_ENDED, Verdict)
        return told if told and told.share == share else None

    def tallies(self, share: str) -> Iterator[Tally]:
        """What each server has told of it."""
        for path in sorted(self._base.glob(_TALLIES)):
            told = self._told(path.name, Tally) if path.name != _ENDED else None
            if told and told.share == share:
                yield told

    def begin(self, share: SharePointer) -> None:
        """Make this the share, in one step; untouched when it is already and was not taken back."""
        try:
            found = self.read()
        except IntegrityError:
            found = None  # this one takes its place
        if found and found[0].same_as(share) and self.ended(found[1]) is None:
            return
        with translated("share the traffic", self._base):
            replace_file(self._base / _FILE, share.model_dump_json().encode())
            self._forget()

    def end(self, verdict: Verdict) -> None:
        """Keep why a server takes it back; the first one counts. Nothing when it is another share by now."""
        found = self.read()
        if found and found[1] == verdict.share and self.ended(verdict.share) is None:
            with translated("take a release back", self._base):
                replace_file(self._base / _ENDED, verdict.model_dump_json().encode())

    def tell(self, server: str, tally: Tally) -> None:
        """Keep how many requests a server has given it; nothing when it is another one by now."""
        found = self.read()
        if found and found[1] == tally.share:
            with translated("count requests", self._base):
                replace_file(self._base / f"share-{server}.json", tally.model_dump_json().encode())

    def remove(self) -> None:
        """End it: what serves answers everything."""
        if not any(self._base.glob("share*.json")):
            return
        with translated("end a share of the traffic", self._base):
            (self._base / _FILE).unlink(missing_ok=True)
            self._forget()
            sync(self._base)

    def remove_unless_beside(self, pointer: Pointer | None) -> None:
        """End one that does not count, so that it is not there when what it was beside serves again."""
        try:
            counts = self.standing(pointer) is not None
        except IntegrityError:
            counts = False
        if not counts and (self._base / _FILE).exists():
            self.remove()

    def _forget(self) -> None:
        for path in self._base.glob(_TALLIES):
            path.unlink(missing_ok=True)

    def _told(self, name: str, kind: type[Told]) -> Told | None:
        content = self._content(name)
        try:
            return kind.model_validate_json(content) if content is not None else None
        except ValidationError:
            return None  # a damaged one tells nothing: the share itself says who answers

    def _content(self, name: str) -> bytes | None:
        with translated("read how the traffic is shared", self._base):
            try:
                return (self._base / name).read_bytes()
            except FileNotFoundError:
                return None
