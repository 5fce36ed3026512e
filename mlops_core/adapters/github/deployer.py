"""Versions delivered by a workflow: a GitHub deployment for each attempt, and a run of deliver.yml for it.

Every step is looked for before it is made, so that ordering again goes on where the last one ended, however
it ended. What GitHub cannot promise: that a run is started once for a deployment. Whoever finds a deployment
without a run looks for one by the title that deliver.yml gives itself, several times, since GitHub lists new
runs a few seconds late; one that it lists later still is started twice. So deliver.yml runs one delivery of a
use case after the other, and delivers what is delivered already once.
"""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar

from mlops_core.adapters.github.answers import Said, parsed
from mlops_core.adapters.github.attempts import Attempts
from mlops_core.adapters.github.client import Client
from mlops_core.adapters.github.comments import write_comment
from mlops_core.adapters.github.errors import AnswerLost, Purpose
from mlops_core.adapters.github.runs import WORKFLOW, run_of, start
from mlops_core.adapters.github.statuses import add, look, tell
from mlops_core.domain.handover import Handover
from mlops_core.domain.review import Review
from mlops_core.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal

    from mlops_core.adapters.github.answers import Status
    from mlops_core.adapters.github.attempts import Attempt
    from mlops_core.domain.handover import Order

__all__ = ["GitHubDeployer"]

_LOOKS, _BETWEEN = 5, 2.0  # seconds: GitHub lists a new run a few of them late
_TRIES = 4  # where an answer was lost

_T = TypeVar("_T")


class _Settings(Protocol):
    """What `mlops_core.settings.Settings` says of GitHub; adapters do not know where settings come from."""

    @property
    def github_repository(self) -> str | None: ...
    @property
    def github_api(self) -> str | None: ...
    @property
    def github_ref(self) -> str: ...
    @property
    def github_environment(self) -> str: ...
    @property
    def github_target(self) -> str: ...


@dataclass(frozen=True, kw_only=True)
class GitHubDeployer:
    """Makes `mlops_core.ports.Dispatcher` real, and does what else jobs ask of GitHub.

    `known_as` is how commands find the use case, where that is not the model's name. `by_bot`: whoever asks
    is a program by GitHub's lights, as jobs are. Nothing is asked, nor missed, before the first call.
    """

    api: str
    repository: str
    token: str = field(repr=False)
    ref: str = "main"
    environment: str = "production"
    target: str = "local"
    known_as: str | None = None
    web: str = "https://github.com"
    by_bot: bool = False
    pause: Callable[[float], None] = time.sleep

    @classmethod
    def of(cls, settings: _Settings, *, known_as: str | None = None) -> GitHubDeployer:
        """By a machine's settings, and what GitHub gives its jobs in the environment; so does the token."""
        said = os.environ.get
        return cls(
            api=settings.github_api or said("GITHUB_API_URL") or "https://api.github.com",
            repository=settings.github_repository or said("GITHUB_REPOSITORY") or "",
            token=(said("GITHUB_TOKEN") or said("GH_TOKEN") or "").strip(),
            ref=settings.github_ref,
            environment=settings.github_environment,
            target=settings.github_target,
            known_as=known_as,
            web=(said("GITHUB_SERVER_URL") or "https://github.com").rstrip("/"),
            by_bot=said("GITHUB_ACTIONS") == "true",
        )

    def dispatch(self, order: Order) -> Handover:
        """Have deliver.yml deliver a version, unless it does so or did; see the port."""
        return self._sure(lambda github: self._dispatched(github, order))

    def tell(self, deployment: int, state: str, description: str = "", url: str = "") -> None:
        """Say how a deployment goes, once. Raises `BadInput` for a state that GitHub has not."""
        self._sure(lambda github: tell(github, deployment, state, description, url))

    def reviews(self, run: int) -> list[Review]:
        """What reviewers said of a run, as far as they said it about our environment."""
        purpose = Purpose(f"the reviews of run {run}", "actions: read")
        answer = self._sure(lambda github: github.read(f"/actions/runs/{run}/approvals", purpose))
        return [
            Review(
                actor=f"github:{one.user.login}" if one.user is not None else "github:ghost",
                consent=one.state == "approved",
                comment=(one.comment or "").strip(),
            )
            for one in parsed(tuple[Said, ...], answer, purpose.what)
            if one.state in ("approved", "rejected")
            and self.environment in [environment.name for environment in one.environments]
        ]

    def comment(self, pull: int, mark: str, text: str) -> str:
        """Write the comment of a pull request that `mark` names, or write it anew; returns its address."""
        return self._sure(lambda github: write_comment(github, pull, mark, text, by_bot=self.by_bot))

    def run_url(self, run: str) -> str:
        """Where a person looks at a run."""
        return f"{self.web}/{self.repository}/actions/runs/{run}"

    def _sure(self, work: Callable[[Client], _T]) -> _T:
        """Do something that looks before it makes anything, again where an answer was lost."""
        if not re.fullmatch(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+", self.repository):
            raise BadInput(
                f"GitHub wants a repository, and {self.repository!r} is none: give OWNER/NAME as "
                "MLOPS_GITHUB_REPOSITORY"
            )
        with Client(api=self.api, repository=self.repository, token=self.token, pause=self.pause) as github:
            for attempt in range(_TRIES - 1):
                try:
                    return work(github)
                except AnswerLost:
                    self.pause(float(2**attempt))
            return work(github)

    def _dispatched(self, github: Client, order: Order) -> Handover:
        attempts = Attempts(github, order, environment=self.environment, target=self.target)
        attempt = attempts.that_counts() or attempts.add(ref=self.ref, known_as=self.known_as)
        if attempt.told is not None:
            return self._handover(attempt.told)
        for again in range(0 if attempt.new else _LOOKS):
            if again:  # whoever made it may be about to start a run, or GitHub to list one
                self.pause(_BETWEEN)
            url = run_of(github, attempt.number)
            if url is not None or look(github, attempt.number) is not None:
                return self._queued(github, order, attempt, url or self._workflow_url())
        return self._queued(github, order, attempt, self._started(github, order, attempt))

    def _started(self, github: Client, order: Order, attempt: Attempt) -> str:
        """Where the run is looked at that is started now."""
        inputs = {
            "use_case": self.known_as or order.name,
            "version": str(order.version),
            "digest": order.digest,
            "target": self.target,
            "deployment": str(attempt.number),
        }
        url = start(github, self.ref, inputs)
        for _ in range(_LOOKS):
            url = url or run_of(github, attempt.number)
            if url is not None:
                return url
            self.pause(_BETWEEN)
        return self._workflow_url()

    def _queued(self, github: Client, order: Order, attempt: Attempt, url: str) -> Handover:
        told = look(github, attempt.number)
        if told is not None:  # the run says so itself by now
            return self._handover(told)
        add(github, attempt.number, "queued", f"{order.name} {order.version} waits for its run", url)
        return Handover(to="GitHub", state="queued", url=url)

    def _handover(self, told: Status) -> Handover:
        states: dict[str, Literal["delivered", "in progress"]] = {
            "success": "delivered",
            "in_progress": "in progress",
        }
        return Handover(
            to="GitHub", state=states.get(told.state, "queued"), url=told.url or self._workflow_url()
        )

    def _workflow_url(self) -> str:
        return f"{self.web}/{self.repository}/actions/workflows/{WORKFLOW}"
