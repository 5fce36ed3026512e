"""A release's folder: the manifest `release.json` and the model's files in `model/`.

The chain that is verified before anything is loaded: the pointer holds the digest of the manifest's bytes,
the manifest the digest of every file, and a file that no manifest names is refused like a changed one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from mlops_core.disk import regular_files, translated, write_file
from mlops_core.domain.digest import digest_bytes, digest_file
from mlops_core.domain.release import Release
from mlops_core.errors import IntegrityError, NotFound

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ReleaseFolder"]

_MANIFEST = "release.json"
_MODEL = "model"


class ReleaseFolder:
    """The folder at `path`; reading it raises `IntegrityError` for whatever is not as it was written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.model = path / _MODEL
        self.manifest = path / _MANIFEST

    def write_manifest(self, release: Release) -> None:
        """Write the manifest, last of all: a folder without one is not a release."""
        write_file(self.manifest, release.model_dump_json(indent=1).encode())

    def manifest_digest(self) -> str:
        """Digest of the manifest's bytes."""
        return digest_bytes(self._manifest_bytes())

    def described(self) -> Release:
        """What the manifest says, nothing else being compared."""
        return self._parsed(self._manifest_bytes())

    def verified(self, manifest_digest: str | None = None) -> Release:
        """The release, once the manifest and every file have been compared with their digests.

        Without `manifest_digest` only the files are compared, with a manifest that nobody vouches for.
        """
        content = self._manifest_bytes()
        if manifest_digest is not None and digest_bytes(content) != manifest_digest:
            said = "is not the manifest that was activated: it was changed, or current.json"
            raise self._damaged(self.manifest, said)
        release = self._parsed(content)
        with translated("read the release", self.path):
            self._compare(release.files)
        return release

    def file(self, release: Release, path: str) -> bytes:
        """The bytes of a file of the release; what is compared is what is returned."""
        digest, file = release.files.get(path), self.model / path
        if digest is None:
            raise NotFound(f"the release in {self.path} has no {path}: it has {', '.join(release.files)}")
        with translated("read the release", self.path):
            try:
                content = file.read_bytes()
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
                raise self._damaged(file, "is missing") from error
        if digest_bytes(content) != digest:
            raise self._damaged(file, "was changed after it was released")
        return content

    def _parsed(self, content: bytes) -> Release:
        try:
            return Release.model_validate_json(content)
        except ValidationError as error:
            raise self._damaged(self.manifest, "is not the manifest of a release") from error

    def _compare(self, expected: dict[str, str]) -> None:
        files, strange = regular_files(self.path)
        digests = {f"{_MODEL}/{name}": digest for name, digest in expected.items()}
        for name in (*strange, *files):
            if name in strange or name not in {*digests, _MANIFEST}:
                raise self._damaged(self.path / name, "is not part of the release")
        for name, digest in digests.items():
            if name not in files:
                raise self._damaged(self.path / name, "is missing")
            if digest_file(self.path / name) != digest:
                raise self._damaged(self.path / name, "was changed after it was released")

    def _manifest_bytes(self) -> bytes:
        with translated("read the release", self.path):
            try:
                return self.manifest.read_bytes()
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
                raise self._damaged(self.manifest, "is missing") from error

    def _damaged(self, path: Path, what: str) -> IntegrityError:
        return IntegrityError(
            f"{path} {what}. Deliver it again with `mlops run {self.path.parent.name}`, "
            "which replaces the folder from the registry"
        )
