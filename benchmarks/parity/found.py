"""What a run left: digests read from the state folder and the ledger, whatever the run said of itself."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mlops_core.domain.digest import digest_of
from mlops_core.settings import Settings
from mlops_core.wiring import ConfiguredEngines
from mlops_core.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_core.domain.standing import Standing

__all__ = ["Found", "found_in"]

_OF_THE_MOMENT = {
    "model.skops",  # an archive with times; what it holds is in the model's digest
    "documents/decision.json",  # with the latency that was measured; the rest is in the decision's digest
    "documents/evidence.html",  # both tell when the version was registered and decided on
    "documents/evidence.json",
}


@dataclass(frozen=True)
class Found:
    """Digests and numbers that have to be equal, however the same run is run. None where it is not there.

    `models` are of the fitted states by candidate, `evaluation` is of its receipt: chosen candidate, metrics
    and intervals. `decision` is the decision's own digest, which leaves out what was measured, and `checks`
    the outcome of each. `release` is of its manifest, with the definitions, the probes and the digests of its
    files, but for the time of release and for files whose bytes hold a time or a measurement.
    """

    training_set: str | None = None
    models: dict[str, str] = field(default_factory=dict)
    evaluation: str | None = None
    version: int | None = None
    model: str | None = None
    decision: str | None = None
    checks: dict[str, str] = field(default_factory=dict)
    status: str = "none"
    release: str | None = None


def found_in(home: Path, name: str) -> Found:
    """What the last run of use case `name` left in the state folder."""
    from mlops_core.promotion import standing_of

    receipts = _receipts(home, name)
    standing = standing_of(ConfiguredEngines(Settings(home=home)), name)
    version = max(standing.models, default=0)
    decision = standing.decisions.get(version)
    return Found(
        training_set=receipts.get("training_set", {}).get("ref", {}).get("digest"),
        models={
            task.partition(".")[2]: receipt["ref"]["digest"]
            for task, receipt in sorted(receipts.items())
            if task.startswith("model_training.")
        },
        evaluation=digest_of(receipts["model_evaluation"]) if "model_evaluation" in receipts else None,
        version=version or None,
        model=standing.models.get(version),
        decision=decision.digest if decision else None,
        checks={check.name: check.outcome for check in decision.checks} if decision else {},
        status=_status(standing, version),
        release=_release(home, name),
    )


def _receipts(home: Path, name: str) -> dict[str, Any]:
    """The receipts of the last run by task, of the stages that leave one in the state folder."""
    space = Workspace(home)
    uses = [use for use in space.journal.all() if use.inputs.use_case == name]
    files = {use.inputs.stage: space.folder(use.inputs) / "receipt.json" for use in uses}
    return {task: json.loads(file.read_text())["receipt"] for task, file in files.items() if file.exists()}


def _status(standing: Standing, version: int) -> str:
    decision, request = standing.decisions.get(version), standing.requests.get(version)
    if decision is None:
        return "none"
    if standing.production == version:
        return "delivered"
    if decision.verdict == "rejected":
        return "rejected"
    return f"approval {request.status(datetime.now(UTC))}" if request else "not promoted"


def _release(home: Path, name: str) -> str | None:
    folder = home / "releases" / name
    if not (folder / "current.json").exists():
        return None
    current = json.loads((folder / "current.json").read_text())["release"]
    manifest = json.loads((folder / current / "release.json").read_text())
    files = {name: digest for name, digest in manifest["files"].items() if name not in _OF_THE_MOMENT}
    return digest_of({**manifest, "files": files, "released_at": None})
