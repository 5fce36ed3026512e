"""Where to look further: a version, its release, its evidence and its report, as links, paths and commands.

A path is of the machine that ran: whoever reads the page elsewhere has the command.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self
from urllib.parse import quote, urlsplit

from mlops_core.evidence import DOCUMENTS, EVIDENCE_PAGE
from mlops_core.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Places", "listed"]


class Places:
    """Those of a version on a machine; `known_as` is how commands find its use case."""

    def __init__(self, name: str, version: int, known_as: str, settings: Settings) -> None:
        self._name, self._version, self._uri = name, version, settings.tracking_uri
        self._home = settings.home.absolute()
        self._reference = f"{known_as}@{version}"

    @classmethod
    def of(cls, name: str, version: int, known_as: str) -> Self:
        """On this machine."""
        return cls(name, version, known_as, Settings.load())

    def version(self) -> tuple[str, str]:
        """In MLflow's own UI where there is a server, and by command."""
        command, page = f"`mlops models show {self._reference}`", _page(self._uri, self._name, self._version)
        return "version", f"[{self._name} {self._version} in MLflow]({page}), {command}" if page else command

    def evidence(self, release: str | None) -> tuple[str, str]:
        """In the release where there is one; the command makes it where there is not."""
        command = f"`mlops evidence {self._reference}`"
        if release is None:
            return "evidence", f"{command} makes it"
        return "evidence", f"{self._file(f'{release}/{DOCUMENTS}/{EVIDENCE_PAGE}')}, {command} copies it"

    def released(self, release: str) -> tuple[str, str]:
        """The folder that is served from."""
        return "release", self._file(release)

    def report(self, uri: str) -> tuple[str, str]:
        """The HTML page."""
        return "report", self._file(uri)

    def further(self) -> Iterator[tuple[str, str]]:
        """Commands for what has no page."""
        yield "lineage", f"`mlops lineage {self._reference}`"

    def _file(self, uri: str) -> str:
        path = self._home / uri  # in two: nothing breaks a long one into lines
        return f"[{path.name}]({path.as_uri()}) in `{path.parent}`"


def listed(lines: Iterator[tuple[str, str]] | list[tuple[str, str]]) -> str:
    """A list and no table: what is long wraps, where Prefect's UI would cut a table's cells."""
    return "\n".join(f"- **{name}:** {text}" for name, text in lines)


def _page(tracking_uri: str | None, name: str, version: int) -> str | None:
    """MLflow's page of a version; the address may hold a password, which is nobody's business here."""
    parts = urlsplit(tracking_uri or "")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return None
    server = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="")
    return f"{server.geturl().rstrip('/')}/#/models/{quote(name, safe='')}/versions/{version}"
