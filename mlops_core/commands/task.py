"""`mlops task …`: the stages of a delivery as processes of their own, with receipts in a run's folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_core.commands import task_list, task_question, task_run

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["add"]


def add(verbs: Any, words: Sequence[str]) -> None:
    """Add the verb; the options of `run` are those of a run of the use case that `words` name."""
    task = verbs.add_parser("task", help="one stage of a delivery in a process of its own")
    deeds = task.add_subparsers(title="commands", metavar="COMMAND", parser_class=type(task))
    for module in (task_run, task_list, task_question):
        module.add(deeds, words)
