"""What `prefect deploy` leaves undone: a step of prefect.yaml, and `python -m flows.deploying` by hand.

Prefect makes and updates what stands in the file. A schedule that was taken out of it, or renamed, would go
on firing (PrefectHQ/prefect#23097), a work pool is to be there already, and so is whoever notices that a run
got lost. The file is the truth about the schedules of the deployments in it, and about nothing else: what is
on the server beside them is told and stays.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterTags
from prefect.exceptions import ObjectNotFound
from prefect.flows import load_flow_from_entrypoint

from flows.lost_runs import NAME, watched
from mlops_core.commands.output import say
from mlops_core.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.responses import DeploymentResponse

__all__ = ["prepare", "prepared"]


@functools.cache  # Prefect runs the step for each deployment, in one process
def prepare(file: str = "prefect.yaml") -> None:
    """Bring the server to where `prefect deploy` takes over, and say what that changed.

    The step of prefect.yaml. Raises `NotFound` when the file or a pool's template is not there.
    """
    document = yaml.safe_load(_read(Path(file)))
    with get_client(sync_client=True) as client:
        for sentence in prepared(client, document, Path(file).parent):
            say(sentence)


def prepared(client: SyncPrefectClient, document: dict[str, Any], folder: Path) -> list[str]:
    """The same on a server of choice; a sentence for each thing that was changed or is left to a person.

    Nothing is said, and nothing changed, where all is as it should be.
    """
    done = [*_pools(client, document.get("definitions", {}).get("pools", {}), folder)]
    if watched(client):
        done.append(f"automation {NAME!r}: made as flows/lost_runs.py has it")
    expected = {_title(one): one for one in document["deployments"]}
    there = {title: found for title in expected if (found := _deployment(client, title)) is not None}
    for title, found in there.items():
        done += _unscheduled(client, title, found, expected[title].get("schedules") or [])
    return [*done, *_left(client, document["name"], {one.id for one in there.values()})]


def _pools(client: SyncPrefectClient, pools: dict[str, Any], folder: Path) -> Iterator[str]:
    """Work pools whose jobs are described by a template of ours."""
    for name, pool in pools.items():
        template = json.loads(_read(folder / pool["template"]))
        try:
            found = client.read_work_pool(name)
        except ObjectNotFound:
            client.create_work_pool(
                WorkPoolCreate(name=name, type=pool["type"], base_job_template=template), overwrite=True
            )
            yield f"work pool {name}: made, of type {pool['type']}"
            continue
        if found.base_job_template != template:
            client.update_work_pool(name, WorkPoolUpdate(base_job_template=template))
            yield f"work pool {name}: its jobs are as {pool['template']} has them now"


def _unscheduled(
    client: SyncPrefectClient, title: str, found: DeploymentResponse, expected: list[dict[str, Any]]
) -> Iterator[str]:
    """Remove the schedules that are not in the file, and with them the runs that they had planned."""
    slugs = {one.get("slug") for one in expected}
    for one in found.schedules:
        if one.slug not in slugs:
            client.delete_deployment_schedule(found.id, one.id)
            when = one.schedule.model_dump(mode="json", exclude_none=True)
            yield f"{title}: schedule {one.slug or 'without a slug'} is not in the file, removed: {when}"


def _left(client: SyncPrefectClient, tag: str, known: set[UUID]) -> Iterator[str]:
    """What bears our tag and is in the file no longer, with the command that removes it."""
    tagged = DeploymentFilter(tags=DeploymentFilterTags(all_=[tag]))
    for one in client.read_deployments(deployment_filter=tagged):
        if one.id not in known:
            title = f"{client.read_flow(one.flow_id).name}/{one.name}"
            yield f"{title} is not in the file, and stays until: prefect deployment delete {title}"


def _title(deployment: dict[str, Any]) -> str:
    """`flow/name`, as Prefect calls it."""
    return f"{load_flow_from_entrypoint(deployment['entrypoint']).name}/{deployment['name']}"


def _deployment(client: SyncPrefectClient, title: str) -> DeploymentResponse | None:
    try:
        return client.read_deployment_by_name(title)
    except ObjectNotFound:
        return None


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise NotFound(f"there is no file {file}: run this in the project's folder") from error


if __name__ == "__main__":
    prepare()
