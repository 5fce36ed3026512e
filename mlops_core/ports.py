"""The outside world, as the stages see it: one Protocol per port, its docstring the contract.

Adapters live in `mlops_core.adapters`, one file an engine, and are chosen in `mlops_core.wiring`. Tables
cross a port as `pyarrow.Table` or as a path to Parquet, matrices as NumPy arrays. Whatever goes wrong in an
engine arrives as an error of `mlops_core.errors`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from mlops_core.domain.candidates import AnyCandidate
    from mlops_core.domain.gates import GateDecision
    from mlops_core.domain.online import FeatureValue, Key, OnlineState
    from mlops_core.domain.registry import ModelVersion, Submission
    from mlops_core.domain.release import Bundle, Release
    from mlops_core.domain.report import ReportContent
    from mlops_core.domain.sources import EventSource
    from mlops_core.domain.usecase import UseCase
    from mlops_core.workspace import Workspace

__all__ = [
    "Deployer",
    "Engines",
    "FittedModel",
    "ModelRegistry",
    "OfflineStore",
    "OnlineStore",
    "Reporter",
    "Trainer",
]


class OfflineStore(Protocol):
    """History of events, read point-in-time. Stateless: events are handed in as canonical Parquet files.

    Canonical events of a source have the entity's key (int64 or string), the event timestamp and, where
    declared, the created timestamp (both timestamp[us, UTC], never null), and the columns that the use case
    reads; sorted by key, event timestamp, created timestamp, then the other columns.
    """

    def ingest(self, use_case: UseCase, source: EventSource, path: Path, into: Path) -> None:
        """Validate the Parquet or CSV file at `path` and write its canonical events to the file `into`.

        Raises `DataError` when any row or column breaks the contract (null key, null or unparsable timestamp,
        wrong type, missing or duplicate column, no rows at all), with row numbers and counts, and `NotFound`
        when there is no such file; `into` then does not exist.
        """

    def spine(self, use_case: UseCase, events: Path, at: Sequence[datetime]) -> pa.Table:
        """One row (key, `event_timestamp`) per instant and entity with at least one event visible by then.

        Visible means that it happened at or before the instant and had been recorded by it. Sorted by
        `event_timestamp`, then key.
        """

    def features(self, use_case: UseCase, events: Mapping[str, Path], spine: pa.Table) -> pa.Table:
        """The spine, unchanged and in its order, with a column per feature as of each row's timestamp."""

    def labels(self, use_case: UseCase, events: Path, spine: pa.Table) -> pa.Table:
        """The spine, unchanged and in its order, with the label's column (int8, 0 or 1)."""


class OnlineStore(Protocol):
    """The latest feature values of each entity, for inference."""

    def write(self, name: str, table: pa.Table, key: str, as_of: datetime) -> OnlineState:
        """Replace all values of use case `name` by `table` (a key column and features), as of `as_of`.

        Atomic to readers: they see all of the old values or all of the new ones. Writing the same values and
        `as_of` again changes nothing.
        """

    def read(self, name: str, keys: Sequence[Key]) -> list[Mapping[str, FeatureValue] | None]:
        """Feature values per key, in the order asked; None for a key that is not there.

        Keys are typed: "1" is not 1. Raises `NotFound` when nothing was ever written for `name`.
        """

    def state(self, name: str) -> OnlineState | None:
        """What is stored for `name`, without reading it; None when nothing is."""


class FittedModel(Protocol):
    """A model after fitting. Its input is a float64 matrix, NaN where missing, one column a feature."""

    def predict(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probability of the positive class per row; shape (n, features) in, (n,) out."""

    def save(self, folder: Path) -> None:
        """Write the model into an existing empty folder, in a format that runs no code when loaded."""

    def digest(self) -> str:
        """Canonical digest of the fitted state: equal for equal fits, though saved bytes may differ."""


class Trainer(Protocol):
    """Fits candidates and loads what was saved."""

    def fit(
        self, candidate: AnyCandidate, rows: NDArray[np.float64], labels: NDArray[np.int8]
    ) -> FittedModel:
        """Fit the candidate. Deterministic: the same inputs give a model of the same digest."""

    def load(self, folder: Path) -> FittedModel:
        """Load what `FittedModel.save` wrote.

        Raises `IntegrityError` when the files hold anything but the types of such models; nothing of theirs
        is run. Raises `NotFound` when there is no model.
        """


class ModelRegistry(Protocol):
    """Versions of models and the stage each is in. At most one version of a name is in Production."""

    def register(self, submission: Submission) -> ModelVersion:
        """Store the model and make it a version in Staging; the same digest again gives the same version."""

    def versions(self, name: str) -> list[ModelVersion]:
        """All versions of a name by ascending number; empty when there are none."""

    def fetch(self, version: ModelVersion, into: Path) -> None:
        """Copy the version's model files into an existing empty folder: what `Trainer.load` reads.

        Raises `IntegrityError` when they are not what was registered.
        """

    def decide(self, name: str, decision: GateDecision) -> ModelVersion:
        """Keep the gate's decision with its version (again: the newest one counts)."""

    def promote(self, name: str, number: int) -> ModelVersion:
        """Move a version to Production and archive the one that was there.

        Idempotent, and finishes what an interrupted promotion began.
        """


class Deployer(Protocol):
    """Where a model is served from."""

    def prepare(self, bundle: Bundle) -> Release:
        """Put a release in place, unseen by callers, and prove it: load it back, compare the probes.

        The same bundle again gives the same release. Raises `IntegrityError` when predictions differ from
        those made at training; nothing is left behind then.
        """

    def activate(self, release: Release) -> None:
        """Serve this release from now on; atomic to whoever follows."""

    def current(self, name: str) -> Release | None:
        """The release that is served, verified against its digests; None before the first.

        Raises `IntegrityError` when its files were changed.
        """


class Reporter(Protocol):
    """Draws what a person reads before trusting a model."""

    def write(self, content: ReportContent, path: Path) -> None:
        """Write one self-contained HTML file."""


class Engines(Protocol):
    """One adapter per port, each made when first asked for."""

    @property
    def workspace(self) -> Workspace:
        """The state folder."""

    @property
    def offline(self) -> OfflineStore:
        """History."""

    @property
    def online(self) -> OnlineStore:
        """Latest values."""

    @property
    def trainer(self) -> Trainer:
        """Fits and loads models."""

    @property
    def registry(self) -> ModelRegistry:
        """Versions."""

    @property
    def deployer(self) -> Deployer:
        """Releases."""

    @property
    def reporter(self) -> Reporter:
        """Reports."""
