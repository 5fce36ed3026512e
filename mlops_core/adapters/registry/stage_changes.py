"""What has to change for a shelf to be as it should: computed from the shelf alone, so it can be run again.

A registry applies the changes in their order. Interrupted after any of them, the shelf that is left gives the
rest of the changes. That holds because each step is recorded before the one that would hide it: the alias
`production` moves first (all that callers go by), then `archived` points at the superseded version, then tags
say what the aliases already mean. A tag `stage` is written last of a registration: a version without one has
a run to finish.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_core.adapters.registry.shelf import ARCHIVED, PRODUCTION, STAGE, STAGING
from mlops_core.adapters.registry.submission_tags import decision_tags

if TYPE_CHECKING:
    from mlops_core.adapters.registry.shelf import Shelf
    from mlops_core.domain.gates import GateDecision
    from mlops_core.domain.registry import Stage

__all__ = ["Change", "deciding", "promoting", "settling"]


@dataclass(frozen=True, kw_only=True)
class Change:
    """One write: a tag of version `number`, an alias (deleted when `number` is None), or a run to finish."""

    number: int | None = None
    tag: str | None = None
    value: str = ""
    alias: str | None = None
    finished_run: str | None = None


def promoting(shelf: Shelf, number: int) -> list[Change]:
    """Changes that put a version into Production; none when it is there and nothing is left to finish.

    What an earlier promotion left undone comes first, or the version that it put into Production would be
    taken for one that never was. Raises `NotFound` for a version that does not exist.
    """
    shelf.numbered(number)
    changes = settling(shelf)
    shelf = _after(shelf, changes)
    if shelf.aliases.get(PRODUCTION) == number:
        return changes
    moved = Change(alias=PRODUCTION, number=number)
    return [*changes, moved, *settling(shelf.after(moved))]


def deciding(shelf: Shelf, decision: GateDecision) -> list[Change]:
    """Changes that keep a decision with its version; raises `NotFound` for a version that does not exist.

    What an earlier registration or promotion left undone comes first.
    """
    record = shelf.numbered(decision.version)
    kept = [
        Change(number=record.number, tag=tag, value=value)
        for tag, value in decision_tags(decision).items()
        if record.tags.get(tag) != value
    ]
    return settling(shelf) + kept


def settling(shelf: Shelf) -> list[Change]:
    """Changes that make tags and the other aliases follow the alias `production`."""
    changes = _stages(shelf)
    shelf = _after(shelf, changes)
    in_stage = {stage: _numbers(shelf, stage) for stage in ("Staging", "Archived")}
    wanted = {STAGING: max(in_stage["Staging"], default=None), ARCHIVED: shelf.aliases.get(ARCHIVED)}
    if wanted[ARCHIVED] not in in_stage["Archived"]:
        wanted[ARCHIVED] = max(in_stage["Archived"], default=None)
    changes += [
        Change(alias=alias, number=number)
        for alias, number in wanted.items()
        if shelf.aliases.get(alias) != number
    ]
    return changes


def _stages(shelf: Shelf) -> list[Change]:
    changes: list[Change] = []
    archived = shelf.aliases.get(ARCHIVED)
    for record in shelf.records:
        stage, said = shelf.stage(record), record.tags.get(STAGE)
        if said == stage:
            continue
        if said is None:
            changes.append(Change(finished_run=record.run_id))
        if stage == "Archived" and archived != record.number:
            archived = record.number
            changes.append(Change(alias=ARCHIVED, number=archived))
        changes.append(Change(number=record.number, tag=STAGE, value=stage))
    return changes


def _numbers(shelf: Shelf, stage: Stage) -> list[int]:
    return [record.number for record in shelf.records if shelf.stage(record) == stage]


def _after(shelf: Shelf, changes: list[Change]) -> Shelf:
    for change in changes:
        shelf = shelf.after(change)
    return shelf
