"""What is foreseen of one task: whether it works, and the receipt that those after it are planned with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from mlops_core.domain.value import Value
from mlops_core.planning.kept import kept_inputs
from mlops_core.planning.unknown import Unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from mlops_core.domain.inputs import Inputs
    from mlops_core.domain.sources import Data
    from mlops_core.domain.usecase import UseCase
    from mlops_core.planning.plan import Status
    from mlops_core.ports import Engines

__all__ = ["Foreseen", "Outlook", "unless"]

R = TypeVar("R", bound=Value)
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Foreseen(Generic[T]):
    """`receipt`, where later tasks are planned with one, has marks of `Unknown` where only a run can tell.

    `inputs` are None where something else decides.

    `why` is empty where the inputs say it. `said` are sentences that stand before what differs in the inputs.
    """

    status: Status
    receipt: T
    inputs: Inputs | None = None
    why: str = ""
    said: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    output: str | None = None


class Outlook:
    """What a plan is made of, and what it has found so far: nothing is locked, made or written."""

    def __init__(
        self, use_case: UseCase, engines: Engines, data: Mapping[str, Data], as_of: date | None
    ) -> None:
        self.use_case, self.engines, self.data, self.as_of = use_case, engines, data, as_of
        self.unknown = Unknown()

    def keyed(self, inputs: Inputs, receipt: type[R], expected: Callable[[], R]) -> Foreseen[R]:
        """A stage that keeps its output by its inputs; `expected` is its receipt as far as it is known.

        It works for certain when no output is there that its inputs may turn out to be those of.
        """
        makers = self.unknown.makers(inputs)
        if makers:
            if self.may_be_kept(inputs, receipt):
                why = unless(makers)
                return Foreseen(status="depends", receipt=expected(), inputs=inputs, why=why, after=makers)
            return Foreseen(status="run", receipt=expected(), inputs=inputs)
        found = self.engines.workspace.find(inputs, receipt)
        if found is None:
            return Foreseen(status="run", receipt=expected(), inputs=inputs)
        workspace = self.engines.workspace
        output = workspace.uri(workspace.folder(inputs))
        return Foreseen(status="reuse", receipt=found, inputs=inputs, output=output)

    def may_be_kept(self, inputs: Inputs, receipt: type[R]) -> list[R]:
        """The receipts of outputs that inputs which are not all known may turn out to name."""
        workspace = self.engines.workspace
        fitting = [one for one in kept_inputs(workspace, inputs.stage) if self.unknown.fits(one, inputs)]
        found = (workspace.find(one, receipt) for one in fitting)
        return [one for one in found if one is not None]


def unless(makers: Sequence[str]) -> str:
    """When a task works that waits for the results of these."""
    names = " and ".join((", ".join(makers[:-1]), makers[-1])) if len(makers) > 1 else makers[0]
    return f"runs unless {names} come{'s' if len(makers) == 1 else ''} out the same"
