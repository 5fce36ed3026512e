"""What was done to a version, as facts: `--json` of promote, rollback, approve and reject."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_core.domain.handover import Handover

if TYPE_CHECKING:
    from mlops_core.domain.registry import ModelVersion
    from mlops_core.domain.release import Release
    from mlops_core.domain.standing import Request

__all__ = ["facts_of_answer", "facts_of_deed"]


def facts_of_deed(name: str, before: int | None, brought: Release | Handover) -> dict[str, Any]:
    """What is in Production now and was before, and what serves; or who was handed the order."""
    if isinstance(brought, Handover):
        return {
            "name": name,
            "production": before,
            "previous": before,
            "release": None,
            "handover": brought.model_dump(mode="json"),
        }
    return {
        "name": name,
        "production": brought.version,
        "previous": before,
        "release": brought.uri,
        "handover": None,
    }


def facts_of_answer(version: ModelVersion, request: Request) -> dict[str, Any]:
    """A person's answer, which may be one that was there before, to the same effect."""
    entry = request.answered
    assert entry is not None  # noqa: S101 - an answer was just entered, or was there
    return {
        "name": version.name,
        "version": version.number,
        "digest": version.digest,
        "question": request.digest,
        "answer": entry.event.kind,
        "actor": entry.actor,
        "at": entry.at.isoformat(),
        "expires_at": request.what.expires_at.isoformat(),
    }
