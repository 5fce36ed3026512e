"""What came of making a version again: what is equal, what differs from then, and how far it moved."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from mlops_core.domain.value import Value

__all__ = [
    "TOLERANCE",
    "ChangedRows",
    "Difference",
    "Digest",
    "Moved",
    "Part",
    "Reproduction",
    "SourceRead",
    "Verdict",
]

TOLERANCE = 1e-9
"""How far two predictions may lie apart and still be called the same: probabilities as they are, numbers as a
share of the greatest of them."""

Part = Literal["data", "definitions", "parameters", "code", "libraries", "environment", "commit"]
Verdict = Literal["identical", "equivalent", "different"]


class Difference(Value):
    """One thing that is not what it was: `then` by the version's lineage, `now` here; None for not there."""

    part: Part
    name: str
    then: str | None
    now: str | None


class Digest(Value):
    """The digest of something that was made again, beside the one that was registered."""

    name: Literal["training set", "fitted state", "version"]
    then: str
    now: str

    @property
    def equal(self) -> bool:
        """Whether it is the very same."""
        return self.then == self.now


class SourceRead(Value):
    """Which events of a source were read. `digest` is what the lineage asks for, `number` counts versions of
    the source's history here (None when it has none of that digest).

    `stored` are the very events; `as known` are those held today, without what was recorded after
    `as_known_at`: the version itself was compacted or expired away.
    """

    source: str
    digest: str
    how: Literal["stored", "as known"]
    number: int | None
    rows: int
    as_known_at: datetime | None = None


class ChangedRows(Value):
    """Training rows then and now, matched by key and instant.

    `columns` counts the differing values of rows that are in both, by column; columns that one side alone
    has are among `gone_columns` and `new_columns`.
    """

    then: int
    now: int
    gone: int
    new: int
    changed: int
    columns: dict[str, int] = Field(default_factory=dict)
    gone_columns: tuple[str, ...] = ()
    new_columns: tuple[str, ...] = ()


class Moved(Value):
    """Predictions of the registered and of the reproduced model on the same evaluation rows.

    `largest` and `mean` are absolute differences. A call is whether a row counts as positive, each model by
    its own threshold; `calls_changed` counts the rows where they disagree, None for models of a number.
    """

    rows: int
    largest: float
    mean: float
    calls_changed: int | None


class Reproduction(Value):
    """A version made again.

    *identical*: training set, fitted state and version have the digests that were registered, the threshold
    is the same, and it predicts as the probes and the registered model do. *equivalent*: some digest differs,
    but no prediction and no threshold by more than `TOLERANCE`, and no call. *different*: anything else.
    Models of a number have no threshold and make no calls.

    `differences` are between then and now, whether or not they changed the result; `today` are those between
    the definitions that the version keeps, which are used here, and those of the use case as it is now.
    `probes` is the largest absolute difference of the probes' predictions, and `scale` what differences are
    measured by: 1 for probabilities, for numbers the greatest that the probes expect, without sign. `rows`
    is None where the training set is the same, or where its original rows are not in the workspace any more.
    `evaluation` is None, and `unreadable` says why, where the registered model cannot be loaded here.
    `commit` is that whose code did this, when it was asked for. `notes` are sentences for a person.
    """

    format: Literal[1] = 1
    model: str
    version: int = Field(ge=1)
    candidate: str
    verdict: Verdict
    as_of: datetime
    as_known_at: datetime | None
    sources: tuple[SourceRead, ...]
    digests: tuple[Digest, ...]
    threshold_then: float | None
    threshold_now: float | None
    probes: float
    scale: float = 1.0
    evaluation: Moved | None
    unreadable: str | None = None
    rows: ChangedRows | None = None
    definitions_in_code: int = Field(ge=0, description="how many definitions its code had, as far as kept")
    differences: tuple[Difference, ...] = ()
    today: tuple[Difference, ...] = ()
    commit: str | None = None
    notes: tuple[str, ...] = ()
