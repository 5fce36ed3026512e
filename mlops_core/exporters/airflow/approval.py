"""The tasks of an Airflow file that ask a person, and write the answer into the ledger.

::

    asking task >> question >> person >> answer >> what waits for the asking task

- `question` is skipped where nobody is asked; `person` is Airflow's `ApprovalOperator`.
- At a "Reject" an ApprovalOperator skips what comes right after it, and keeps nothing of what was said: there
  is no XCom then (Airflow 3.3). That answer has to be written down all the same, so the file has an operator
  of its own that skips nothing.
- `answer` writes down what was said. What waits for the asking task runs as well when nobody was asked or the
  answer was no (`none_failed`): the stage itself knows what to do then. A question that nobody answers in
  time fails, and nothing after it runs.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_core.errors import BadInput
from mlops_core.exporters.airflow.retries import retries_of
from mlops_core.exporters.airflow.source import call, command_source, duration
from mlops_core.exporters.python_source import Code

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mlops_core.domain.pipeline import Consent, PipelineDocument, TaskEntry
    from mlops_core.exporters.airflow.names import Named

__all__ = ["Approval"]

_STEPS = ("question", "person", "answer")
_SAID = '''
class ConsentOperator(ApprovalOperator):
    """A "Reject" is an answer too: nothing is skipped, so that the next task can write it down."""

    def skip(self, ti: Any, tasks: Any) -> None:
        """Nothing."""


# What the person said, for the command that writes it down; empty when nobody was asked.
SAID = "{{% set said = ti.xcom_pull(task_ids={person}) %}}"
ANSWER = {{
    **ENV,
    "ANSWER": SAID + "{{{{ said.chosen_options[0] | lower if said else '' }}}}",
    "REASON": SAID + "{{{{ said.params_input.get('reason', '') if said else '' }}}}",
    "PERSON": SAID + "{{{{ said.responded_by_user.name if said else '' }}}}",
}}
'''


@dataclass(frozen=True)
class Approval:
    """Where a pipeline asks: `steps` are the names of the tasks that do, by what they do."""

    document: PipelineDocument
    consent: Consent
    steps: Mapping[str, str]

    @classmethod
    def of(cls, document: PipelineDocument) -> Approval | None:
        """None where no consent is asked for. Raises `BadInput` when no task could ask."""
        names = [task.name for task in document.tasks]
        consent = document.consent
        if consent is None:
            return None
        if consent.task not in names:
            raise BadInput(
                f"consent: {document.name} has no task {consent.task!r} to ask, but {', '.join(names)}"
            )
        prefix = consent.task
        while any(f"{prefix}.{step}" in names for step in _STEPS):
            prefix += "_"
        return cls(document, consent, {step: f"{prefix}.{step}" for step in _STEPS})

    def holds(self, task: TaskEntry) -> bool:
        """Whether a task waits for the answer."""
        return self.consent.task in task.upstream

    def said(self, names: Mapping[str, Named]) -> str:
        """The environment of the command that writes the answer down."""
        return _SAID.format(person=repr(self._named("person", names).id))

    def tasks(self, names: Mapping[str, Named]) -> Iterator[str]:
        """The three tasks."""
        asked = f"ti.xcom_pull(task_ids={self._named('question', names).id!r})"
        yield from self._operator("BashOperator", "question", names, bash_command=self._command("question"))
        yield from self._operator(
            "ConsentOperator",
            "person",
            names,
            subject=f"{{{{ {asked}['subject'] }}}}",
            body=f"{{{{ {asked}['body'] }}}}",
            # With a default, though it has to be filled in: Airflow checks it before it asks anybody
            params=Code('{"reason": Param("", type="string", description="Why, for the ledger.")}'),
            response_timeout=duration(self.consent.expires),
        )
        yield from self._operator(
            "BashOperator",
            "answer",
            names,
            bash_command=self._command("answer"),
            env=Code("ANSWER"),
            output_processor=Code("str"),
            trigger_rule="none_failed",
        )

    def chain(self, names: Mapping[str, Named]) -> str:
        """The edges between them."""
        steps = [names[self.consent.task], *(self._named(step, names) for step in _STEPS)]
        return " >> ".join(one.variable for one in steps)

    def _operator(self, kind: str, step: str, names: Mapping[str, Named], **arguments: Any) -> Iterator[str]:
        one = self._named(step, names)
        shown = {} if one.id == one.name else {"task_display_name": one.name}
        (asking,) = (task for task in self.document.tasks if task.name == self.consent.task)
        retries = retries_of(asking.retry) if kind == "BashOperator" else {}
        yield from call(f"{one.variable} = {kind}", {"task_id": one.id, **shown, **arguments, **retries})

    def _command(self, step: str) -> Code:
        command = f'{shlex.join(["mlops", "task", step, self.document.use_case])} --run "$RUN"'
        if step == "answer":
            words = '--answer "$ANSWER" --reason="$REASON" --actor="$PERSON"'
            command = f"[[ $ANSWER ]] || exit 99; {command} {words}"
        return command_source(command)

    def _named(self, step: str, names: Mapping[str, Named]) -> Named:
        return names[self.steps[step]]
