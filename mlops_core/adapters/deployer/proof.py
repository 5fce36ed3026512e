"""What every deployer does with a bundle: check it, prove its model, make it a release."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_core.domain.digest import file_digests
from mlops_core.domain.release import Bundle, Release
from mlops_core.errors import BadInput, IntegrityError, NotFound

if TYPE_CHECKING:
    from datetime import datetime

    import numpy as np
    from numpy.typing import NDArray

    from mlops_core.domain.traffic import Served
    from mlops_core.ports import FittedModel

__all__ = [
    "check_bundle",
    "check_share",
    "compared",
    "different",
    "folder_name",
    "prove",
    "release_of",
    "same_bundle",
    "same_files",
    "same_model",
    "valid_name",
]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")
_DIGEST = re.compile(r"[0-9a-f]{12,64}")


def valid_name(name: str) -> str:
    """The name, when it can be that of a folder without leaving its parent. Raises `BadInput`."""
    if not _NAME.fullmatch(name):
        raise BadInput(
            f"{name!r} cannot name a release: use a letter, then letters, digits or '_', 63 at most"
        )
    return name


def check_bundle(bundle: Bundle) -> None:
    """Raise `BadInput` for a bundle that no deployer can use."""
    valid_name(bundle.name)
    if not _DIGEST.fullmatch(bundle.digest):
        raise BadInput(
            f"the digest of {bundle.name!r} must be SHA-256 in lower-case hex, not {bundle.digest!r}"
        )
    probes = bundle.probes
    if not probes.rows or len(probes.rows) != len(probes.expected):
        raise BadInput(
            f"{bundle.name!r} version {bundle.version} has {len(probes.rows)} probe rows and "
            f"{len(probes.expected)} expected predictions; a release is proved by at least one of each"
        )
    width = len(bundle.feature_names)
    if any(len(row) != width for row in probes.rows):
        raise BadInput(
            f"a probe row of {bundle.name!r} version {bundle.version} has not one value "
            f"for each of its {width} features"
        )


def check_share(release: Release, serving: Served | None, percent: int, *, shadow: bool) -> None:
    """Raise `BadInput` or `NotFound` for a share that no target can give, see `Deployer.share`."""
    who = f"{release.name} version {release.version}"
    most = 100 if shadow else 99
    if not 1 <= percent <= most:
        raise BadInput(
            f"{who}: a {'shadow' if shadow else 'trial'} takes 1 to {most} percent, not {percent}"
            + ("" if shadow else "; all of the callers are `mlops promote`'s")
        )
    if serving is None:
        raise NotFound(
            f"nothing of {release.name} serves yet, so there is nothing to share with: promote a version"
        )
    if (serving.version, serving.digest) == (release.version, release.digest):
        raise BadInput(f"{who} serves already: a share is for another version")


def folder_name(version: int, digest: str) -> str:
    """What a release is called at its target."""
    return f"{version}-{digest[:12]}"


def prove(model: FittedModel, of: Bundle | Release) -> float:
    """The largest difference of the model's predictions of its probes from those made at training.

    Raises `IntegrityError` when it is more than the probes allow.
    """
    import numpy as np  # here: looking what is served needs none

    rows = np.array(of.probes.rows, dtype=np.float64)  # None becomes NaN
    return compared(_predicted(model, rows, of), of)


def compared(predicted: NDArray[np.float64], of: Bundle | Release) -> float:
    """The same of predictions (n,) that somebody else made of the probes."""
    import numpy as np

    expected = np.array(of.probes.expected, dtype=np.float64)
    difference = _largest_difference(predicted, expected)
    if not difference <= of.probes.tolerance:  # a NaN is not within the tolerance either
        raise IntegrityError(
            f"{of.name!r} version {of.version} does not predict as it did at training: over {len(expected)} "
            f"probes the largest difference is {difference:.3g}, allowed is {of.probes.tolerance:.3g}. It is "
            "not served; compare the library versions in its lineage with those here, or train it again"
        )
    return difference


def _predicted(model: FittedModel, rows: NDArray[np.float64], of: Bundle | Release) -> NDArray[np.float64]:
    try:
        return model.predict(rows)
    except ValueError as error:  # `BadInput` is one: the shape does not fit
        raise IntegrityError(
            f"the model of {of.name!r} version {of.version} cannot predict rows of {rows.shape[1]} features: "
            f"{error}"
        ) from error


def _largest_difference(predicted: NDArray[np.float64], expected: NDArray[np.float64]) -> float:
    import numpy as np

    if predicted.shape != expected.shape:
        return float("inf")
    return float(np.max(np.abs(predicted - expected)))


def release_of(bundle: Bundle, *, uri: str, released_at: datetime, files: dict[str, str]) -> Release:
    """The release that this bundle becomes at `uri`."""
    same = {name: getattr(bundle, name) for name in Bundle.model_fields if name in Release.model_fields}
    return Release(**same, uri=uri, released_at=released_at, files=files)


def different(bundle: Bundle) -> IntegrityError:
    """The error for a bundle whose version is released already, with another model."""
    return IntegrityError(
        f"version {bundle.version} of {bundle.name!r} is released already with another model, threshold or "
        "list of features. A version never changes: register a new one"
    )


def same_bundle(release: Release, bundle: Bundle) -> bool:
    """Whether the release was made of exactly such a bundle, wherever the bundle's folder lay."""
    again = release_of(bundle, uri=release.uri, released_at=release.released_at, files=release.files)
    return again == release


def same_files(release: Release, bundle: Bundle) -> bool:
    """Whether the release was made of exactly such a bundle, and holds the files of its folder."""
    return same_bundle(release, bundle) and release.files == file_digests(Path(bundle.model_folder))


def same_model(release: Release, bundle: Bundle) -> bool:
    """Whether both are the same version of the same model.

    Its definitions are part of its digest, so a use case that differs by a gate or a path makes no other
    release; nor do other probes, which the model has to meet anyway.
    """
    fields = ("name", "version", "digest", "candidate", "feature_names", "threshold")
    return all(getattr(release, field) == getattr(bundle, field) for field in fields)
