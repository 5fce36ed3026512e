"""The tags of a version: everything that a caller needs of it besides the model's files.

==========================  ==============================================================
`mlops.digest`              digest of model and lineage: what makes a version the same one
`mlops.candidate`           name of the candidate
`mlops.feature_names`       JSON list, in the order of the model's input
`mlops.threshold`           JSON number
`mlops.metrics`             JSON object
`mlops.lineage`             JSON of `Lineage`
`mlops.use_case`            JSON of the use case's definitions, as submitted
`mlops.files`               JSON object: SHA-256 of each of the model's files by its path
`mlops.decision`            JSON of the newest `GateDecision`
`verdict`, `reasons`        the same, for people
`stage`                     Staging, Production or Archived, for people
==========================  ==============================================================
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_core.domain.digest import file_digests
from mlops_core.errors import BadInput, NotFound

if TYPE_CHECKING:
    from mlops_core.domain.gates import GateDecision
    from mlops_core.domain.registry import Submission

__all__ = [
    "CANDIDATE",
    "DECISION",
    "DIGEST",
    "FEATURE_NAMES",
    "FILES",
    "LINEAGE",
    "METRICS",
    "THRESHOLD",
    "USE_CASE",
    "decision_tags",
    "submission_tags",
]

DIGEST = "mlops.digest"
CANDIDATE = "mlops.candidate"
FEATURE_NAMES = "mlops.feature_names"
THRESHOLD = "mlops.threshold"
METRICS = "mlops.metrics"
LINEAGE = "mlops.lineage"
USE_CASE = "mlops.use_case"
FILES = "mlops.files"
DECISION = "mlops.decision"

_MOST_BYTES = 60_000  # MySQL keeps 65,535 bytes of a tag, MLflow itself allows 100,000 characters


def submission_tags(submission: Submission) -> dict[str, str]:
    """The tags that a version gets when it is created, the digests of the model's files among them.

    Raises `NotFound` when a file of the submission is not there and `BadInput` when one is too large to tag.
    """
    folder = Path(submission.folder)
    for path in (folder, *map(Path, submission.attachments)):
        if not path.exists():
            raise NotFound(f"model {submission.name!r} cannot be registered: there is no {path}.")
    return _bounded(
        {
            DIGEST: submission.digest,
            CANDIDATE: submission.candidate,
            FEATURE_NAMES: json.dumps(submission.feature_names),
            THRESHOLD: json.dumps(submission.threshold),
            METRICS: json.dumps(submission.metrics, sort_keys=True),
            LINEAGE: submission.lineage.model_dump_json(),
            USE_CASE: submission.use_case,
            FILES: json.dumps(file_digests(folder), sort_keys=True),
        },
        submission.name,
    )


def decision_tags(decision: GateDecision) -> dict[str, str]:
    """The tags that keep a decision: the whole of it, which counts, and its summary for people."""
    tags = {
        DECISION: decision.model_dump_json(),
        "verdict": decision.verdict,
        "reasons": "\n".join(decision.reasons),
    }
    return _bounded(tags, f"version {decision.version}")


def _bounded(tags: dict[str, str], owner: str) -> dict[str, str]:
    for tag, value in tags.items():
        if (size := len(value.encode())) > _MOST_BYTES:
            raise BadInput(
                f"the tag {tag} of {owner!r} would take {size:,} bytes, a registry keeps {_MOST_BYTES:,}: "
                "split the use case, or keep fewer files beside the model."
            )
    return tags
