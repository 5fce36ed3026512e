"""`mlops` and `mlops --help`: what to do first, and the verbs by what they are for."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from mlops_core.options import OptionParser

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["GROUPS", "Program"]

# A verb that stands in none of them is shown among "Other"; a test sees to it that there is none
GROUPS: Mapping[str, tuple[str, ...]] = {
    "First steps": ("run", "predict", "serve", "new", "doctor", "completion"),
    "Looking": ("models", "features", "plan", "why", "history", "lineage", "evidence"),
    "Promoting": ("gate", "approvals", "approve", "reject", "promote", "rollback"),
    "Operating": ("canary", "traffic", "registry", "reproduce", "gc"),
    "Elsewhere": ("export", "task", "github"),
}
_FIRST = """\
Deliver models on tabular, time-stamped data. To begin with:

  mlops run churn              features, candidates, gate and release, on the bundled purchases
  mlops predict churn --id 1   what the released model says of customer 1
  mlops serve churn            the same over HTTP
  mlops doctor                 is everything there; if something goes wrong, what to do
"""
_LAST = """\
`mlops COMMAND --help` says more of each. State is in .mlops/, or where MLOPS_HOME says.
Exit codes: 0 done, 1 failed, 2 bad input, 3 rejected by the gate (where that was asked for)."""


class Program(OptionParser):
    """The parser of `mlops` itself, which arguments have as `program`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.set_defaults(program=self)

    def format_help(self) -> str:
        """First steps, then every verb with its line, by group."""
        lines = self._lines()
        groups = [(name, [verb for verb in verbs if verb in lines]) for name, verbs in GROUPS.items()]
        grouped = {verb for _, verbs in groups for verb in verbs}
        groups.append(("Other", [verb for verb in lines if verb not in grouped]))
        width = max((len(verb) for verb in lines), default=0)
        blocks = [
            "\n".join((f"{name}:", *(f"  {verb:<{width}}  {lines[verb]}".rstrip() for verb in verbs)))
            for name, verbs in groups
            if verbs
        ]
        return "\n\n".join((f"usage: {self.prog} COMMAND ...", _FIRST.rstrip(), *blocks, _LAST)) + "\n"

    def _lines(self) -> dict[str, str]:
        """Each verb's line of help, in the order of adding. argparse keeps them in these attributes only."""
        return {
            one.dest: one.help or ""
            for action in self._actions
            if isinstance(action, argparse._SubParsersAction)
            for one in action._choices_actions
        }
