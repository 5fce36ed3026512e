"""Who started a flow run, and the engines that sign with that."""

from __future__ import annotations

from prefect.context import FlowRunContext

from mlops_core.settings import Settings
from mlops_core.wiring import ConfiguredEngines

__all__ = ["configured", "starter"]


def starter(actor: str | None) -> str | None:
    """`actor` if given, else what Prefect knows: "schedule nightly", "automation …".

    None for a run that a person started, for Prefect's open-source server knows no persons.
    """
    context = FlowRunContext.get()
    by = context.flow_run.created_by if context is not None and context.flow_run is not None else None
    if actor is not None or by is None or not by.type:
        return actor
    return f"{by.type.lower()} {by.display_value or ''}".strip()


def configured(actor: str | None, known_as: str) -> ConfiguredEngines:
    """The engines of this machine's settings, signing as `starter` says, else as the settings do.

    `known_as` is how runs name the use case that they are for.
    """
    settings, name = Settings.load(), starter(actor)
    if name:
        settings = settings.model_copy(update={"actor": name})
    return ConfiguredEngines(settings, known_as=known_as)
