"""The deployments of one version on GitHub: each is an attempt to deliver it, and one at most counts.

A deployment's task names the version, by digest, and the target: GitHub itself finds those of an order. An
attempt counts unless it failed, was set inactive, ended without a word, or succeeded and another version of
the model was delivered there since. Of several that count, made by processes that ordered at the same
moment, the oldest does: each of them looks again after it made one, and sets its own inactive where it was
not the first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mlops_core.adapters.github.answers import Deployment, parsed
from mlops_core.adapters.github.errors import SEE_REF, Purpose
from mlops_core.adapters.github.runs import runs_of
from mlops_core.adapters.github.statuses import add, look, shortened

if TYPE_CHECKING:
    from mlops_core.adapters.github.answers import Status
    from mlops_core.adapters.github.client import Client
    from mlops_core.domain.handover import Order

__all__ = ["Attempt", "Attempts"]

_DEPLOYMENTS = Purpose("the deployments", "deployments: write", SEE_REF)
_ENDED_BADLY = ("error", "failure", "inactive")
_NEWEST = 10  # attempts at one version that are looked at


class Attempt(NamedTuple):
    """A deployment by its number, and its state: None where nothing was told of it yet.

    `new`: this process made it, just now.
    """

    number: int
    told: Status | None
    new: bool = False


class Attempts:
    """Those at one order."""

    def __init__(self, github: Client, order: Order, *, environment: str, target: str) -> None:
        self._github, self._order = github, order
        self._environment, self._target = environment, target
        self.task = f"deliver:{order.name}:{order.version}-{order.digest[:12]}:{target}"

    def that_counts(self) -> Attempt | None:
        """The oldest attempt that counts."""
        counting = [attempt for attempt in self._newest() if not self._over(attempt)]
        return min(counting, key=lambda attempt: attempt.number, default=None)

    def add(self, *, ref: str, known_as: str | None) -> Attempt:
        """Make one, and return the one that counts: another, where it was made at the same moment."""
        order = self._order
        payload = {
            "name": order.name,
            "version": order.version,
            "digest": order.digest,
            "target": self._target,
            "known_as": known_as,
        }
        body = {
            "ref": ref,
            "task": self.task,
            "auto_merge": False,
            "required_contexts": [],  # the gate is what it has to pass
            "payload": payload,
            "environment": self._environment,
            "description": shortened(f"{order.name} {order.version} for {order.actor}: {order.reason}"),
            # In any other GitHub sets all of an environment inactive when one succeeds: other models too
            "production_environment": True,
        }
        made = parsed(
            Deployment, self._github.write("POST", "/deployments", _DEPLOYMENTS, body), _DEPLOYMENTS.what
        )
        first = self.that_counts()
        if first is None or first.number >= made.id:  # GitHub may list it a moment later
            return Attempt(made.id, None, new=True)
        add(self._github, made.id, "inactive", f"ordered at the same moment as deployment {first.number}")
        return first

    def _newest(self) -> list[Attempt]:
        answer = self._github.read(
            "/deployments", _DEPLOYMENTS, environment=self._environment, task=self.task, per_page=_NEWEST
        )
        found = parsed(tuple[Deployment, ...], answer, _DEPLOYMENTS.what)
        return [Attempt(one.id, look(self._github, one.id)) for one in found]

    def _over(self, attempt: Attempt) -> bool:
        if attempt.told is None:
            return False
        if attempt.told.state == "success":
            return self._another_since(attempt.number)
        return attempt.told.state in _ENDED_BADLY or self._ended_unsaid(attempt.number)

    def _ended_unsaid(self, number: int) -> bool:
        """Whether its runs ended without a word; then that is told.

        GitHub cancels a run that waits for its turn when another one comes to wait, and runners are lost.
        """
        runs = runs_of(self._github, number)
        if not runs or not all(run.ended for run in runs):
            return False
        told = look(self._github, number)  # it was told before the run ended, perhaps since we looked
        if told is None or told.state not in ("success", *_ENDED_BADLY):
            add(self._github, number, "error", "its run ended without a word", runs[0].html_url)
        return told is None or told.state != "success"

    def _another_since(self, number: int) -> bool:
        """Whether another version was delivered after this deployment succeeded."""
        beginning, end = f"deliver:{self._order.name}:", f":{self._target}"
        for page in self._github.pages("/deployments", _DEPLOYMENTS, environment=self._environment):
            for one in parsed(tuple[Deployment, ...], page, _DEPLOYMENTS.what):
                if one.id <= number:
                    return False
                ours = one.task.startswith(beginning) and one.task.endswith(end) and one.task != self.task
                told = look(self._github, one.id) if ours else None
                if told is not None and told.state == "success":
                    return True
        return False
