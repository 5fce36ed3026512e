"""The feature store of one use case on a machine: what `mlops features …` and a notebook ask for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mlops_core.domain.time import close_of_day
from mlops_core.errors import BadInput, NotFound
from mlops_core.history import EventHistory
from mlops_core.online_parity import SAMPLE, compare_online, expected_values, known_at, sampled
from mlops_core.parameters import data_of
from mlops_core.point_in_time import historical_features
from mlops_core.stages.feature_store import feature_store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date
    from pathlib import Path

    import pyarrow as pa

    from mlops_core.domain.history import HistoryVersion, Ingested
    from mlops_core.domain.online import FeatureValue, Key, OnlineState
    from mlops_core.domain.receipts import FeatureStoreReceipt, ParityReport
    from mlops_core.domain.sources import Data
    from mlops_core.domain.usecase import UseCase
    from mlops_core.ports import Engines

__all__ = ["FeatureStore"]


class FeatureStore:
    """Events in, point-in-time and online features out, by the definitions of `use_case`.

    `data` is by source name; a source that is left out has what its definition names.
    """

    def __init__(self, use_case: UseCase, engines: Engines) -> None:
        self.use_case, self._engines = use_case, engines
        self._history = EventHistory(use_case, engines)

    def validate(
        self, data: Mapping[str, Data] | None = None, *, quarantine: Path | None = None
    ) -> dict[str, Ingested]:
        """Check the events of every source against its contract and its row rules; nothing is stored.

        With the folder `quarantine`, broken rows are written to `<source>.parquet` in it, and counted. Raises
        `DataError` for the first source with broken rows that are not set aside, `NotFound` for no events.
        """
        found = {}
        given = data_of(self.use_case, self._known(data))
        with self._engines.workspace.scratch() as folder:
            for name, one in given.items():
                aside = quarantine / f"{name}.parquet" if quarantine else None
                source = self.use_case.source(name)
                into = folder / f"{name}.parquet"
                found[name] = self._engines.offline.ingest(self.use_case, source, one, into, quarantine=aside)
        return found

    def materialise(
        self,
        data: Mapping[str, Data] | None = None,
        *,
        as_of: date | None = None,
        quarantine: Path | None = None,
        anew: bool = False,
    ) -> FeatureStoreReceipt:
        """Bring events in and online values to the close of `as_of`, as every delivery begins.

        `anew` writes all online values again, whatever is said to be there.
        """
        given = data_of(self.use_case, self._known(data))
        if anew:
            self._engines.online.drop(self.use_case.online_name)
        return feature_store(self.use_case, given, as_of, engines=self._engines, quarantine=quarantine)

    def upsert(self, name: str, data: Data, *, quarantine: Path | None = None) -> HistoryVersion:
        """Add rows to the events of a source that appends; online values stay as they are.

        Idempotent, see `OfflineStore.merge`. Raises `BadInput` for a source that is whole each time.
        """
        (source,) = (self.use_case.source(one) for one in self._known({name: data}))
        if not source.append:
            raise BadInput(
                f"source {name!r} is given whole each time: set append=True in its definition to add to it, "
                "or give the whole history to `mlops features materialise`"
            )
        return self._history.bring_in(source, data, quarantine=quarantine)

    def historical(self, spine: pa.Table, *, as_known_at: datetime | None = None) -> pa.Table:
        """The spine (key columns and `event_timestamp`), unchanged, and a column a feature as of each row.

        `as_known_at` reads history as it was known then. Raises `NotFound` when no events are stored.
        """
        files = self._history.files(as_known_at=as_known_at)
        offline = self._engines.offline
        return historical_features(self.use_case, offline, files, spine, as_known_at=as_known_at)

    def online(self, keys: Sequence[Key]) -> list[Mapping[str, FeatureValue] | None]:
        """The online values of each key, in the order asked; None for an unknown one."""
        return self._engines.online.read(self.use_case.online_name, keys)

    def online_state(self) -> OnlineState | None:
        """What the online store holds for these definitions."""
        return self._engines.online.state(self.use_case.online_name)

    def verify(self, *, sample: int = SAMPLE) -> ParityReport:
        """Compare the online values of `sample` entities with history at the same instant.

        Raises `NotFound` when there are no events or no online values.
        """
        state = self.online_state()
        if state is None:
            raise NotFound(
                f"{self.use_case.name} has no online values by these definitions: run `mlops features "
                f"materialise {self.use_case.name}`"
            )
        held = self._history.held(self.use_case.source(self.use_case.label.source))
        table = expected_values(
            self.use_case,
            self._engines.offline,
            self._history.files(),
            state.as_of,
            as_known_at=known_at(state.as_of, held.last),
            sample=sample,
        )
        expected = sampled(self.use_case, table)
        return compare_online(self.use_case, self._engines.online, expected, state.as_of)

    def history(self) -> dict[str, list[HistoryVersion]]:
        """The versions of every source's events, the oldest first."""
        return {source.name: self._history.versions(source) for source in self.use_case.sources}

    def expire(self, before: date | datetime, *, compact: bool = False) -> dict[str, HistoryVersion]:
        """Let go of rows that no feature can see at `before` or later; the versions that hold then.

        A bare date is its close. `compact` also removes the events of all earlier versions: models that were
        trained on them can then no longer be trained again.
        """
        instant = before if isinstance(before, datetime) else close_of_day(before)
        instant = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
        found = {source.name: self._history.expire(source, instant) for source in self.use_case.sources}
        if compact:
            for source in self.use_case.sources:
                self._history.compact(source)
        return found

    def _known(self, data: Mapping[str, Data] | None) -> Mapping[str, Data]:
        names = [source.name for source in self.use_case.sources]
        unknown = sorted(set(data or {}) - set(names))
        if unknown:
            raise NotFound(f"{self.use_case.name} has no source {unknown[0]!r}: its sources are {names}")
        return data or {}
