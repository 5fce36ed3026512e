"""A name's versions and aliases through MLflow's client: reading them, and making a change."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mlops_core.adapters.registry.changes import AliasMoved, Discarded, Finished, LedgerNamed, Tagged
from mlops_core.adapters.registry.mlflow_errors import absent_is_fine
from mlops_core.adapters.registry.mlflow_run import discard_run, finish_run
from mlops_core.adapters.registry.shelf import Record, Shelf

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

    from mlops_core.adapters.registry.changes import AnyChange

__all__ = ["LEDGER", "apply_change", "read_shelf", "record_of"]

LEDGER = "mlops.ledger"
"""The tag of a registered model that names the ledger that it follows."""


def record_of(
    *, number: int | str, created_ms: int, run_id: str | None, source: str | None, tags: Mapping[str, str]
) -> Record:
    """A version from MLflow's own values."""
    return Record(
        number=int(number),
        created_at=datetime.fromtimestamp(created_ms / 1000, UTC),
        run_id=run_id or "",
        source=source or "",
        tags=dict(tags),
    )


def read_shelf(client: MlflowClient, name: str) -> Shelf:
    """The shelf of a name; empty when MLflow does not know it."""
    records = [
        record_of(
            number=version.version,
            created_ms=version.creation_timestamp,
            run_id=version.run_id,
            source=version.source,
            tags=version.tags,
        )
        for version in _search(client, name)
    ]
    return Shelf.of(name, records, *_aliases_and_ledger(client, name))


def apply_change(client: MlflowClient, name: str, change: AnyChange) -> None:
    """Make one change; making it again changes nothing."""
    match change:
        case Tagged(number=number, tag=tag, value=None):
            client.delete_model_version_tag(name, str(number), tag)
        case Tagged(number=number, tag=tag, value=value):
            client.set_model_version_tag(name, str(number), tag, value)
        case AliasMoved(alias=alias, number=None):
            client.delete_registered_model_alias(name, alias)
        case AliasMoved(alias=alias, number=number):
            client.set_registered_model_alias(name, alias, str(number))
        case LedgerNamed(origin=origin):
            client.set_registered_model_tag(name, LEDGER, origin)
        case Finished(number=number, run_id=run_id):
            finish_run(client, name, number, run_id)
        case Discarded(number=number, run_id=run_id):
            discard_run(client, run_id)
            with absent_is_fine():  # the host that made it may be faster
                client.delete_model_version(name, str(number))


def _search(client: MlflowClient, name: str) -> list[ModelVersion]:
    found: list[ModelVersion] = []
    token: str | None = None
    while "'" not in name:  # MLflow's filters cannot say such a name, and `register` refuses it
        page = client.search_model_versions(f"name = '{name}'", max_results=1000, page_token=token)
        found += page
        token = page.token
        if not token:
            break
    return found


def _aliases_and_ledger(client: MlflowClient, name: str) -> tuple[dict[str, int], str | None]:
    with absent_is_fine():
        model = client.get_registered_model(name)
        aliases = {alias: int(number) for alias, number in model.aliases.items()}
        return aliases, model.tags.get(LEDGER)
    return {}, None
