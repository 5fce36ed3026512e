"""What things of ours are called at Vertex AI, and what is written on them.

Answers of Google's name a project by its number, whatever it was asked by: names are compared by their end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mlops_core.adapters.deployer.platform import plain_name

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Names", "labels_of"]

_OWNER = {"managed-by": "mlops-core"}


class Names(NamedTuple):
    """Those in one project and location."""

    project: str
    location: str

    @property
    def parent(self) -> str:
        """Where all of them are."""
        return f"projects/{self.project}/locations/{self.location}"

    def endpoint(self, name: str) -> str:
        """The endpoint of a use case."""
        return f"{self.parent}/endpoints/{self.id(name)}"

    def model(self, name: str) -> str:
        """The model of a use case, whose versions are its releases."""
        return f"{self.parent}/models/{self.id(name)}"

    @staticmethod
    def id(name: str) -> str:
        """The last word of both: [a-z][a-z0-9-]{0,62}, not ending in a dash."""
        return f"mlops-{plain_name(name)}"


def labels_of(name: str) -> Mapping[str, str]:
    """By which what is ours is told from what is not: [a-z0-9_-]{0,63} each."""
    return {**_OWNER, "mlops-name": plain_name(name, longest=63)}
