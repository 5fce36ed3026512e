"""The probes of a release as a request of the Open Inference Protocol, and what came back."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from mlops_core.domain.outputs import score_name
from mlops_core.errors import IntegrityError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from mlops_core.domain.release import Release

__all__ = ["answered", "probing"]


def probing(release: Release) -> dict[str, Any]:
    """A request for the scores of the probe rows."""
    rows = release.probes.rows
    columns = zip(*rows, strict=True)
    inputs = [
        {"name": name, "shape": [len(rows)], "datatype": "FP64", "data": list(column)}
        for name, column in zip(release.feature_names, columns, strict=True)
    ]
    return {"inputs": inputs, "outputs": [{"name": score_name(release.threshold)}]}


def answered(release: Release, answer: Mapping[str, Any]) -> NDArray[np.float64]:
    """The scores of an answer (n,). Raises `IntegrityError` for what is none of this release."""
    import numpy as np

    who = f"{release.name!r} version {release.version}"
    try:
        (output,) = answer["outputs"]
        name, scores = output["name"], [float(one) for one in output["data"]]
        by = answer["model_name"], answer["model_version"]
    except (LookupError, TypeError, ValueError) as error:
        raise IntegrityError(f"what serves {who} gave no answer of the inference protocol") from error
    if name != score_name(release.threshold):
        raise IntegrityError(
            f"what serves {who} answers with {name!r} and not {score_name(release.threshold)!r}"
        )
    if by != (release.name, str(release.version)):
        raise IntegrityError(f"what should serve {who} answers as {by[0]!r} version {by[1]}")
    if not all(map(math.isfinite, scores)):
        raise IntegrityError(f"what serves {who} gave something else than finite numbers")
    return np.array(scores)
