"""Releases: a model version made ready to serve, with everything needed to serve and to check it."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from mlops_core.domain.value import Value

__all__ = ["Bundle", "Probes", "Release"]


class Probes(Value):
    """Rows with the predictions made at training time: how a loaded model shows that it is the same.

    `rows` has one entry a probe, each with one value a feature (None where missing); `expected` are
    probabilities, or numbers, to be met within `tolerance`.
    """

    rows: tuple[tuple[float | None, ...], ...]
    expected: tuple[float, ...]
    tolerance: float = 1e-9


class Bundle(Value):
    """What is handed to a deployer. `model_folder` is a path on this machine, `use_case` JSON.

    The folder holds the model's files, and in `documents/` what proves that it may serve. `decision` is the
    digest of the gate's decision that it is released by; None for what was adopted. `threshold` is None for
    a model of a number.
    """

    name: str
    version: int
    digest: str
    candidate: str
    model_folder: str
    use_case: str
    feature_names: tuple[str, ...]
    threshold: float | None
    probes: Probes
    decision: str | None = None


class Release(Value):
    """A release as it lies at its target. `uri` is relative to the state folder, or a URL.

    `files` are the digests of the model's files and documents by their path in it; the manifest that holds
    them is itself checked against the pointer that makes a release current.
    """

    name: str
    version: int
    digest: str
    candidate: str
    uri: str
    released_at: datetime
    use_case: str
    feature_names: tuple[str, ...]
    threshold: float | None
    probes: Probes
    decision: str | None = None
    files: dict[str, str] = Field(min_length=1)
