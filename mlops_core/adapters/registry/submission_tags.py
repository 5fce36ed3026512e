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
`mlops.probes`              JSON of `Probes`, packed (zlib, then base64): they are many numbers;
                            where it is too long for one tag, `mlops.probes.2` … have the rest
`mlops.profile`             JSON of `FeatureProfile`, packed as well
`mlops.code`                JSON object: digest by module:name, packed as well
==========================  ==============================================================

Those that show what the ledger says are in `stage_changes`.
"""

from __future__ import annotations

import base64
import json
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_core.domain.digest import digest_file, file_digests
from mlops_core.errors import BadInput, NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_core.domain.registry import Submission

__all__ = [
    "CANDIDATE",
    "CODE",
    "DIGEST",
    "DOCUMENTS",
    "FEATURE_NAMES",
    "FILES",
    "LINEAGE",
    "METRICS",
    "MOST_BYTES",
    "PROBES",
    "PROFILE",
    "THRESHOLD",
    "USE_CASE",
    "submission_tags",
    "unpacked",
]

DIGEST = "mlops.digest"
CANDIDATE = "mlops.candidate"
FEATURE_NAMES = "mlops.feature_names"
THRESHOLD = "mlops.threshold"
METRICS = "mlops.metrics"
LINEAGE = "mlops.lineage"
USE_CASE = "mlops.use_case"
FILES = "mlops.files"
PROBES = "mlops.probes"
PROFILE = "mlops.profile"
CODE = "mlops.code"
DOCUMENTS = "documents"
"""Folder of the documents beside the model's files."""

MOST_BYTES = 60_000  # MySQL keeps 65,535 bytes of a tag, MLflow itself allows 100,000 characters


def submission_tags(submission: Submission) -> dict[str, str]:
    """The tags that a version gets when it is created, the digests of the model's files among them.

    Raises `NotFound` when a file of the submission is not there and `BadInput` when one is too large to tag.
    """
    folder = Path(submission.folder)
    for path in (folder, *map(Path, submission.documents)):
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
            FILES: json.dumps(_files(submission), sort_keys=True),
            **_packed(PROBES, submission.probes.model_dump_json()),
            **_packed(PROFILE, submission.profile.model_dump_json()),
            **_packed(CODE, json.dumps(submission.code, sort_keys=True)),
        },
        submission.name,
    )


def _files(submission: Submission) -> dict[str, str]:
    documents = {f"{DOCUMENTS}/{Path(one).name}": digest_file(Path(one)) for one in submission.documents}
    return file_digests(Path(submission.folder)) | documents


def unpacked(tags: Mapping[str, str], tag: str) -> bytes:
    """What was packed under a tag.

    Raises `KeyError` when it is not there and `ValueError` when it is not whole or was not packed here.
    """
    pieces = [tags[tag]]
    while (piece := tags.get(f"{tag}.{len(pieces) + 1}")) is not None:
        pieces.append(piece)
    try:
        return zlib.decompress(base64.b64decode("".join(pieces), validate=True))
    except zlib.error as error:
        raise ValueError(f"{tag}: {error}") from error


def _packed(tag: str, text: str) -> dict[str, str]:
    """As many tags as it takes: the first of that name, then with .2, .3 …"""
    packed = base64.b64encode(zlib.compress(text.encode(), 9)).decode()
    pieces = [packed[start : start + MOST_BYTES] for start in range(0, len(packed), MOST_BYTES)]
    return {tag if number == 1 else f"{tag}.{number}": piece for number, piece in enumerate(pieces, 1)}


def _bounded(tags: dict[str, str], owner: str) -> dict[str, str]:
    for tag, value in tags.items():
        if (size := len(value.encode())) > MOST_BYTES:
            raise BadInput(
                f"the tag {tag} of {owner!r} would take {size:,} bytes, a registry keeps {MOST_BYTES:,}: "
                "split the use case, or keep fewer files beside the model."
            )
    return tags
