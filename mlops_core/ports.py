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
    from mlops_core.domain.descent import Descent
    from mlops_core.domain.evidence import Evidence
    from mlops_core.domain.figures import Figure, Figures
    from mlops_core.domain.handover import Handover, Order
    from mlops_core.domain.history import Ingested, Merged
    from mlops_core.domain.ledger import Draft, Entry
    from mlops_core.domain.online import FeatureValue, Key, OnlineState
    from mlops_core.domain.registry import ModelVersion, Submission
    from mlops_core.domain.release import Bundle, Release
    from mlops_core.domain.report import ReportContent
    from mlops_core.domain.sources import Data, EventSource
    from mlops_core.domain.standing import Standing
    from mlops_core.domain.traffic import Bounds, TargetStatus
    from mlops_core.domain.usecase import UseCase
    from mlops_core.provenance import Code
    from mlops_core.workspace import Workspace

    Labels = NDArray[np.float64] | NDArray[np.int8]

__all__ = [
    "ComputingEngines",
    "Deployer",
    "Dispatcher",
    "Engines",
    "FittedModel",
    "Ledger",
    "ModelRegistry",
    "OfflineStore",
    "OnlineStore",
    "Reporter",
    "Trainer",
]


class OfflineStore(Protocol):
    """History of events, read point-in-time. Stateless: events are handed in as canonical Parquet files.

    Canonical events of a source have its key columns (int64 or string), the event timestamp and, where
    declared, the created timestamp (both timestamp[us, UTC], never null), the event id where there is one,
    and the columns that the use case reads; sorted by all of them in that order. `as_known_at` reads them as
    they were known then: rows recorded later (created timestamp) are not there; without created timestamps it
    is of no effect here, see `mlops_core.history`.
    """

    def ingest(
        self,
        use_case: UseCase,
        source: EventSource,
        data: Data,
        into: Path,
        *,
        quarantine: Path | None = None,
    ) -> Ingested:
        """Validate `data` (see `EventSource.path` and `Query`) and write its canonical events to `into`.

        Raises `DataError` when any row or column breaks the contract or a rule of the source (not those of
        freshness and volume, which are `mlops_core.history`'s), with row numbers and counts, and `NotFound`
        when there is nothing there; `into` then does not exist. With `quarantine`, rows that break row rules
        are written to that Parquet file with a column `broken_rules` instead, and the others are accepted.
        """

    def merge(
        self,
        use_case: UseCase,
        source: EventSource,
        stored: Path,
        batch: Path | None,
        into: Path,
        *,
        keep_from: datetime | None = None,
    ) -> Merged:
        """Write the canonical events of `stored` with those of `batch` to `into`; both files stay.

        Rows of features (read by a view of latest values) replace those equal in key, event and created
        timestamp; events with an id those equal in id and created timestamp; other events are added unless
        the very row is there already, as often as it is in the batch. So merging twice is merging once. With
        `keep_from`, rows go that no feature can see at that instant or later; the first event of each entity
        stays, so that it is still known.
        """

    def spine(
        self, use_case: UseCase, events: Path, at: Sequence[datetime], *, as_known_at: datetime | None = None
    ) -> pa.Table:
        """One row (key columns, `event_timestamp`) per instant and entity with an event visible by then.

        Visible means that it happened (and its delay passed) at or before the instant and had been recorded
        by it. Sorted by `event_timestamp`, then key. `events` are those of the label's source.
        """

    def features(
        self,
        use_case: UseCase,
        events: Mapping[str, Path],
        spine: pa.Table,
        *,
        as_known_at: datetime | None = None,
    ) -> pa.Table:
        """The spine, unchanged and in its order, and a column per feature of `use_case.joined_names`.

        Values are those at each row's `event_timestamp`; features on demand are not made here, see
        `mlops_core.point_in_time`. `events` are by source name.
        """

    def labels(
        self, use_case: UseCase, events: Path, spine: pa.Table, *, as_known_at: datetime | None = None
    ) -> pa.Table:
        """The spine, unchanged and in its order, with the label's column: int8, 0 or 1; float64 for numbers.

        Raises `DataError` for a sum past the range of float64.
        """


class OnlineStore(Protocol):
    """The latest feature values of each entity, for inference. Keys are typed: "1" is not 1."""

    def write(self, name: str, table: pa.Table, keys: Sequence[str], as_of: datetime) -> OnlineState:
        """Make the values of set `name` those of `table` (key columns and features), as of `as_of`.

        Only what changed is written, and entities that are not in `table` go. Atomic to readers: they see all
        of the old values or all of the new ones. Values as of an earlier instant never replace later ones.
        The state that holds afterwards is returned; writing the same again changes nothing.
        """

    def read(self, name: str, keys: Sequence[Key]) -> list[Mapping[str, FeatureValue] | None]:
        """Feature values per key, in the order asked; None for a key that is not there.

        A composite key is a tuple. Raises `NotFound` when nothing was ever written for `name`.
        """

    def state(self, name: str) -> OnlineState | None:
        """What is stored for `name`, without reading it; None when nothing is."""

    def names(self) -> list[str]:
        """The sets there are, sorted."""

    def drop(self, name: str) -> None:
        """Remove a set; nothing happens when there is none."""


class FittedModel(Protocol):
    """A model after fitting. Its input is a float64 matrix, NaN where missing, one column a feature."""

    def predict(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probability of the positive class, or the expected number, per row; (n, features) in, (n,) out."""

    def save(self, folder: Path) -> None:
        """Write the model into an existing empty folder, in a format that runs no code when loaded."""

    def digest(self) -> str:
        """Canonical digest of the fitted state: equal for equal fits, though saved bytes may differ."""


class Trainer(Protocol):
    """Fits candidates and loads what was saved."""

    def fit(self, candidate: AnyCandidate, rows: NDArray[np.float64], labels: Labels) -> FittedModel:
        """Fit the candidate on labels of 0 and 1, or numbers: what its task is.

        Deterministic: the same inputs give a model of the same digest.
        """

    def load(self, folder: Path) -> FittedModel:
        """Load what `FittedModel.save` wrote.

        Raises `IntegrityError` when the files hold anything but the types of such models; nothing of theirs
        is run. Raises `NotFound` when there is no model.
        """

    def environment(self) -> dict[str, str]:
        """What a fit depends on besides its inputs, code and libraries: a name and a value each.

        Interpreter, processor, BLAS kernel, numbers of threads. Where all are equal, so are digests.
        """


class ModelRegistry(Protocol):
    """Versions of models and their files. Which stage each is in, the ledger says; here that is shown."""

    def register(self, submission: Submission) -> ModelVersion:
        """Store the model and make it a version; the same digest again gives the same version.

        Interrupted anywhere, it leaves no version, and the next attempt clears away what it did leave.
        """

    def versions(self, name: str) -> list[ModelVersion]:
        """All versions of a name by ascending number; empty when there are none."""

    def fetch(self, version: ModelVersion, into: Path) -> None:
        """Copy the version's model files into an existing empty folder: what `Trainer.load` reads.

        What was registered with it (`Submission.documents`) goes into `documents/` there. Raises
        `IntegrityError` when they are not what was registered.
        """

    def differences(self, standing: Standing) -> list[str]:
        """One sentence for each thing that the registry shows otherwise than the ledger; empty when none.

        Shown are aliases (`production`, `staging` for the newest there, `archived` for the last that left
        Production), and of each version its stage, the gate's newest decision and a person's answer.
        """

    def follow(self, standing: Standing, *, take_over: bool = False) -> list[str]:
        """Make the registry show what the ledger says, and return what `differences` said before.

        Idempotent, and finishes what an interrupted call began. Raises `BadInput` when the registry follows
        another ledger (`Standing.origin`) already, unless this one is to take over.
        """


class Ledger(Protocol):
    """What happened to the versions of each model: entries that are appended, and never changed."""

    def entries(self, name: str) -> tuple[Entry, ...]:
        """All entries of a model in their order; empty when there are none.

        Raises `IntegrityError`, naming the entry, when one was changed, removed or put in between.
        """

    def append(self, name: str, drafts: Sequence[Draft], *, after: int) -> tuple[Entry, ...]:
        """Append all drafts in one step, durably, and return them as entries.

        `after` is the number of the last entry that the caller has seen (0: none). Raises `Conflict`, and
        writes nothing, when there is a later one. Of several that append after the same entry, over processes
        and hosts, exactly one succeeds.
        """

    def names(self) -> list[str]:
        """The models that have entries, sorted."""


class Deployer(Protocol):
    """Where a model is served from: its target.

    Each call does one thing wholly or can be made again: what a killed or timed-out one left half done, the
    next one finishes. Raises `BadInput` for credentials or settings that are missing or refused and for a
    quota that is used up, `Unavailable` for a target that is out of reach, busy or not done in time.
    """

    def prepare(self, bundle: Bundle) -> Release:
        """Put a release in place, unseen by callers, and prove it: load it back, compare the probes.

        The same bundle again gives the same release. Raises `IntegrityError` when predictions differ from
        those made at training; nothing is left behind then.
        """

    def find(self, name: str, version: int, digest: str) -> Release | None:
        """The release of a version that was prepared earlier, its files verified; None when there is none.

        Raises `IntegrityError` when its files were changed. It is not loaded: that was done when it was made.
        """

    def activate(self, release: Release) -> None:
        """Serve this release from now on, to all callers; atomic to whoever follows, and the end of a share.

        Returns once it answers, as `verify` has it. A target that goes over by itself and finds it failing
        goes back: what served before serves then, and `IntegrityError` or `Unavailable` says why. Raises
        `NotFound` when it was not prepared, `IntegrityError` when its files were changed.
        """

    def current(self, name: str) -> Release | None:
        """The release that is served, verified against its digests; None before the first.

        Raises `IntegrityError` when its files were changed.
        """

    def share(
        self, release: Release, percent: int, *, shadow: bool = False, bounds: Bounds | None = None
    ) -> None:
        """Have `percent` of the callers' requests answered by this release, the others by what serves.

        With `shadow` it is asked that share of them as well, and callers get what serves. Takes the place of
        another share; the same one again changes nothing. The target holds it to `bounds` as far as it can,
        and withdraws it by itself. Raises `NotFound` when nothing serves yet or the release was not prepared,
        `BadInput` for a share that leaves nothing to what serves (`shadow`: 1 to 100 percent), for the
        release that serves, and where the target knows no shadow.
        """

    def withdraw(self, name: str) -> None:
        """End a share: what serves answers everything again. Nothing happens when there is none."""

    def status(self, name: str) -> TargetStatus:
        """Who answers callers now, as the target itself says; files are not verified."""

    def verify(self, release: Release) -> float:
        """The largest difference of the release's predictions of its probes from those at training.

        Where it answers callers the target itself is asked, by the way that callers ask; else it is loaded
        back from where it lies. Raises `IntegrityError` when that is more than the probes allow or the answer
        is not of this release, `NotFound` when it was not prepared.
        """


class Dispatcher(Protocol):
    """Has versions delivered by somebody else, who sees to the gate, a person, the canary and the target."""

    def dispatch(self, order: Order) -> Handover:
        """Hand a version over, once: the same order again gives the same handover, unless it failed there.

        Raises `Unavailable` when nobody can be reached, and `MlopsError` when the order is refused.
        """


class Reporter(Protocol):
    """Draws what a person reads before trusting a model."""

    def write(self, content: ReportContent, path: Path) -> None:
        """Write one self-contained HTML file."""

    def figures(self, content: ReportContent) -> Figures:
        """The drawings of that file, for others to show."""

    def image(self, figure: Figure) -> str:
        """One of those drawings as an SVG document of its own, for pages that have no style sheet of ours."""

    def write_evidence(self, evidence: Evidence, figures: Figures, path: Path) -> None:
        """Write an evidence pack as one self-contained HTML file; equal arguments give equal bytes."""

    def write_descent(self, descent: Descent, path: Path) -> None:
        """Draw where a version comes from, as one self-contained HTML file; equal descents, equal bytes."""


class ComputingEngines(Protocol):
    """What a stage computes with, that reaches nothing but its own workspace."""

    @property
    def workspace(self) -> Workspace:
        """The state folder."""

    @property
    def offline(self) -> OfflineStore:
        """History."""

    @property
    def code(self) -> Code:
        """The code behind each stage, the engines' included."""

    @property
    def trainer(self) -> Trainer:
        """Fits and loads models."""


class Engines(ComputingEngines, Protocol):
    """One adapter per port, each made when first asked for."""

    @property
    def online(self) -> OnlineStore:
        """Latest values."""

    @property
    def registry(self) -> ModelRegistry:
        """Versions."""

    @property
    def ledger(self) -> Ledger:
        """What happened to versions."""

    @property
    def actor(self) -> str:
        """Who is at work here: the name that entries of the ledger carry."""

    @property
    def deployer(self) -> Deployer:
        """Releases."""

    @property
    def dispatcher(self) -> Dispatcher | None:
        """Who delivers in place of this machine; None where it delivers itself."""

    @property
    def reporter(self) -> Reporter:
        """Reports."""
