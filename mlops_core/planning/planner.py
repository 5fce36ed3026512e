"""What a run would do: the DAG walked with receipts that are foreseen in place of made.

Each task's inputs are computed by the functions that its stage uses. Where all are known, its output is there
or is not. Where one is what another task has yet to make, a mark stands in its place: the task runs for
certain when no kept output agrees with the inputs in all that is known, and else it depends on what the other
makes. As keys are of content, a task that runs may come out as before, and what follows is then reused.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mlops_core.errors import DefinitionError
from mlops_core.pipeline import build_pipeline
from mlops_core.planning.changes import changes
from mlops_core.planning.computing import (
    foreseen_evaluation,
    foreseen_training,
    foreseen_training_set,
    foreseen_verification,
)
from mlops_core.planning.deciding import foreseen_approval, foreseen_gate, foreseen_registry
from mlops_core.planning.deploying import foreseen_deployment
from mlops_core.planning.events import foreseen_feature_store
from mlops_core.planning.foreseen import Outlook
from mlops_core.planning.kept import made_at
from mlops_core.planning.plan import Plan, TaskPlan
from mlops_core.planning.times import longest_path, usual

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from mlops_core.domain.journal import Use
    from mlops_core.domain.sources import Data
    from mlops_core.domain.usecase import UseCase
    from mlops_core.planning.deciding import Subject
    from mlops_core.planning.foreseen import Foreseen
    from mlops_core.ports import Engines

__all__ = ["Planner"]


class Planner:
    """Plans a run of a use case, told what a run is told; see `build_pipeline`."""

    def __init__(
        self, use_case: UseCase, engines: Engines, *, data: Mapping[str, Data], as_of: date | None = None
    ) -> None:
        self._use_case, self._engines = use_case, engines
        self._dag = build_pipeline(use_case, engines, data=data, as_of=as_of)
        self._told = (data, as_of)

    @property
    def tasks(self) -> tuple[str, ...]:
        """The names of the tasks, in the order in which they run."""
        return tuple(self._dag.topological_order())

    def plan(self) -> Plan:
        """What each task would do. Nothing is locked, made or written.

        Raises as the run would where that is seen without running: no data, too little history.
        """
        outlook = Outlook(self._use_case, self._engines, *self._told)
        with _quietly():
            foreseen = _all_foreseen(outlook)
            missing = [name for name in self.tasks if name not in foreseen]
            if missing:
                raise DefinitionError(f"task {missing[0]!r} cannot be planned: mlops_core.planning lacks it")
            made: dict[str, TaskPlan] = {}
            for name in self.tasks:
                made[name] = self._described(name, foreseen[name], outlook, made)
        seconds = longest_path(self._dag, {one.task: one.seconds for one in made.values()})
        return Plan(use_case=self._use_case.name, tasks=tuple(made.values()), seconds=seconds)

    def _described(
        self, name: str, found: Foreseen[Any], outlook: Outlook, made: Mapping[str, TaskPlan]
    ) -> TaskPlan:
        last = self._engines.workspace.journal.last(self._use_case.name, name)
        differs = list(found.said)
        if last is not None and found.inputs is not None:
            is_unknown = outlook.unknown.maker
            differs += changes(last.inputs, found.inputs, is_unknown=lambda one: is_unknown(one) is not None)
        at, took = self._made(found, last) if found.status == "reuse" else (None, None)
        return TaskPlan(
            task=name,
            status=found.status,
            why=found.why or self._why(found, differs, last, at),
            changes=tuple(differs),
            after=found.after,
            waits_for=tuple(one for one in self._dag.upstream(name) if made[one].works),
            seconds=usual(last) if found.status != "reuse" else None,
            output=found.output,
            made_at=at,
            took=took,
            last_used=last.at if last else None,
        )

    def _why(self, found: Foreseen[Any], differs: list[str], last: Use | None, made: datetime | None) -> str:
        """What the inputs and the journal say."""
        if found.status == "reuse":
            return f"unchanged, made {made:%Y-%m-%d %H:%M} UTC" if made else "unchanged"
        if differs:
            more = f" (and {len(differs) - 1} more)" if len(differs) > 1 else ""
            return f"{differs[0]}{more}"
        if found.inputs is not None and self._engines.workspace.folder(found.inputs).exists():
            return "its output was damaged"
        return "it was not made before" if last is None else "its output was removed"

    def _made(self, found: Foreseen[Any], last: Use | None) -> tuple[datetime | None, float | None]:
        """When what is reused was made, and how many seconds that took, where it is known."""
        if found.inputs is None:
            return None, None
        noted = [one for one in last.worked if one.key == found.inputs.key] if last else []
        if noted:
            return noted[-1].at, noted[-1].seconds
        written = made_at(self._engines.workspace, found.inputs)
        return (datetime.fromtimestamp(written, UTC) if written is not None else None), None


def _all_foreseen(outlook: Outlook) -> dict[str, Foreseen[Any]]:
    """Every task by its name, each planned with the receipts of those before it."""
    events = foreseen_feature_store(outlook)
    rows = foreseen_training_set(outlook, events.receipt)
    branches = {
        f"model_training.{one.name}": foreseen_training(outlook, one, rows.receipt)
        for one in outlook.use_case.candidates
    }
    trained = [one.receipt for one in branches.values()]
    evaluation = foreseen_evaluation(outlook, rows.receipt, trained)
    subject: Subject
    registry, subject = foreseen_registry(outlook, rows.receipt, trained, evaluation.receipt)
    gate, decision = foreseen_gate(outlook, evaluation.receipt, subject)
    approval = foreseen_approval(outlook, registry.receipt, decision, subject)
    return {
        "feature_store": events,
        "feature_verification": foreseen_verification(outlook, events.receipt),
        "training_set": rows,
        **branches,
        "model_evaluation": evaluation,
        "model_registry": registry,
        "gate": gate,
        "approval": approval,
        "deployment": foreseen_deployment(outlook, registry.receipt, decision, approval.receipt, subject),
    }


@contextmanager
def _quietly() -> Iterator[None]:
    """Nothing is logged: that an output "is made again" is said by the plan, and is not so yet."""
    log = logging.getLogger("mlops_core")
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(level)
