"""A GitHub that follows the published schema, and who asks it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from mlops_core.adapters.github import GitHubDeployer
from mlops_core.domain.handover import Order
from tests.github.fake import TOKEN, FakeGitHub

if TYPE_CHECKING:
    from collections.abc import Iterator

ORDER = Order(name="churn", version=3, digest="0123456789abcdef" * 4, actor="ana", reason="passed the gate")


@dataclass
class Scene:
    """GitHub, its one repository, and how long who asked it paused."""

    github: FakeGitHub
    paused: list[float] = field(default_factory=list)

    def deployer(self, **changes: Any) -> GitHubDeployer:
        """Who delivers by it, never waiting."""
        given: dict[str, Any] = {
            "api": self.github.url,
            "repository": self.github.repository,
            "token": TOKEN,
            "pause": self.paused.append,
        }
        return GitHubDeployer(**{**given, **changes})

    @property
    def asked(self) -> list[str]:
        """Methods and paths asked so far, without the repository and what is asked for."""
        return [
            f"{method} {path.partition('?')[0].removeprefix(f'/repos/{self.github.repository}')}"
            for method, path, *_ in (request.split() for request in self.github.requests)
        ]

    @property
    def states(self) -> dict[int, str | None]:
        """The newest status of each deployment."""
        statuses = self.github.memory.statuses
        return {number: told[-1]["state"] if told else None for number, told in statuses.items()}

    @property
    def runs(self) -> list[str]:
        """The deployments that runs were started for."""
        return [run["inputs"]["deployment"] for run in self.github.memory.runs]


@pytest.fixture
def scene() -> Iterator[Scene]:
    """A GitHub that must have had nothing to complain of."""
    with FakeGitHub() as github:
        yield Scene(github)
        assert github.complaints == []
