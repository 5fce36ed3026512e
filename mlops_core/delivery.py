"""One delivery, ready to run: what the commands and the flows share, whichever runner walks the DAG."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mlops_core.pipeline import build_pipeline
from mlops_core.summary import Outcome, outcome_of, summarise
from mlops_core.wiring import ConfiguredEngines

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mlops_core.dag import PipelineDAG
    from mlops_core.domain.usecase import UseCase
    from mlops_core.parameters import DeliveryParameters
    from mlops_core.settings import Settings

__all__ = ["Delivery"]


class Delivery:
    """A use case with a run's parameters on a machine's settings. `dag` is what a runner walks.

    `known_as` is how commands find the use case, as module:ATTRIBUTE where it is one of the user's own.
    `started` is when the run began, where that was in another process.
    """

    def __init__(
        self,
        use_case: UseCase,
        parameters: DeliveryParameters,
        settings: Settings,
        *,
        known_as: str | None = None,
        started: datetime | None = None,
    ) -> None:
        self.use_case = parameters.applied_to(use_case)
        if parameters.actor is not None:
            settings = settings.model_copy(update={"actor": parameters.actor})
        self.engines = ConfiguredEngines(settings, known_as=known_as)
        self.dag: PipelineDAG = build_pipeline(
            self.use_case,
            self.engines,
            data=parameters.data_of(use_case),
            as_of=parameters.as_of,
        )
        self._home, self._known_as = settings.home, known_as
        self._started = started or datetime.now(UTC)

    def outcome(self, context: Mapping[str, Any]) -> Outcome:
        """How it ended, from the receipts in `context`."""
        return outcome_of(context, self._started)

    def summary(self, context: Mapping[str, Any]) -> str:
        """The same for a person."""
        return summarise(context, self.outcome(context), self._home, known_as=self._known_as)

    def report_path(self, context: Mapping[str, Any]) -> Path:
        """Where the HTML report lies."""
        return self._home / self.outcome(context).report
