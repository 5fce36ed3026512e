"""A name's versions and aliases through MLflow's client: reading them, and making a change."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mlops_core.adapters.registry.shelf import Record, Shelf
from mlops_core.adapters.registry.submission_tags import DIGEST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

    from mlops_core.adapters.registry.stage_changes import Change

__all__ = ["apply_change", "read_shelf", "record_of"]


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
    """The shelf of a name; empty when MLflow does not know it.

    Tags are read before aliases: an alias moves before its tags do, so a promotion in between shows as done.
    """
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
    ours = sorted((record for record in records if DIGEST in record.tags), key=lambda record: record.number)
    return Shelf(name=name, records=tuple(ours), aliases=_aliases(client, name))


def apply_change(client: MlflowClient, name: str, change: Change) -> None:
    """Make one change; making it again changes nothing."""
    if change.finished_run is not None:
        client.set_terminated(change.finished_run, "FINISHED")
    elif change.tag is not None:
        client.set_model_version_tag(name, str(change.number), change.tag, change.value)
    elif change.number is None:
        client.delete_registered_model_alias(name, str(change.alias))
    else:
        client.set_registered_model_alias(name, str(change.alias), str(change.number))


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


def _aliases(client: MlflowClient, name: str) -> dict[str, int]:
    from mlflow.exceptions import MlflowException

    try:
        aliases = client.get_registered_model(name).aliases
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return {}
        raise
    return {alias: int(number) for alias, number in aliases.items()}
