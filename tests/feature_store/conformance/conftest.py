"""Short ways to ask every store about the latest values of `rates` and about aggregates of `orders`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from mlops_core.domain.features import Latest
from mlops_core.domain.sources import EventSource
from mlops_core.domain.views import FeatureView

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta
    from pathlib import Path

    from mlops_core.domain.usecase import UseCase
    from mlops_core.ports import OfflineStore

TIME = pa.timestamp("us", "UTC")


@pytest.fixture
def rated(define: Callable[..., UseCase]) -> Callable[..., UseCase]:
    """Makes a use case of a view of latest values of source `rates`: `rate`, unless `features` are given."""

    def make(
        *features: Latest,
        created: str | None = None,
        ttl: timedelta | None = None,
        visibility: str = "known",
        **source: Any,
    ) -> UseCase:
        rates = {"name": "rates", "event_timestamp": "at", "created_timestamp": created} | source
        view = {"name": "rates", "source": "rates", "features": features or (Latest("rate"),), "ttl": ttl}
        return define(
            sources=(EventSource.model_validate(rates),),
            views=(FeatureView.model_validate(view | {"visibility": visibility}),),
        )

    return make


@pytest.fixture
def table_of() -> Callable[..., pa.Table]:
    """A table of rates: rows are (customer, at, rate) or (customer, at, recorded, rate)."""

    def make(*rows: tuple[Any, ...]) -> pa.Table:
        names = ["customer", "at", "recorded", "rate"] if len(rows[0]) == 4 else ["customer", "at", "rate"]
        columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
        times = {name: pa.array(columns[name], TIME) for name in names if name in ("at", "recorded")}
        return pa.table(columns | times)

    return make


@pytest.fixture
def spine_of() -> Callable[..., pa.Table]:
    """A spine of (customer, moment) rows."""

    def make(*rows: tuple[Any, datetime]) -> pa.Table:
        keys = pa.array([key for key, _ in rows])
        if pa.types.is_null(keys.type):
            keys = keys.cast(pa.int64())
        return pa.table({"customer": keys, "event_timestamp": pa.array([at for _, at in rows], TIME)})

    return make


@pytest.fixture
def newest(
    rated: Callable[..., UseCase],
    ingested: Callable[..., dict[str, Path]],
    store: OfflineStore,
    table_of: Callable[..., pa.Table],
    spine_of: Callable[..., pa.Table],
) -> Callable[..., list[Any]]:
    """Ingests rates (see `table_of`) and reads the latest one for each (customer, moment)."""

    def read(
        rows: list[tuple[Any, ...]],
        *asked: tuple[Any, datetime],
        as_known_at: datetime | None = None,
        **definition: Any,
    ) -> list[Any]:
        use_case = rated(**{"created": "recorded" if len(rows[0]) == 4 else None} | definition)
        events = ingested(use_case, rates=table_of(*rows))
        found = store.features(use_case, events, spine_of(*asked), as_known_at=as_known_at)
        values: list[Any] = found["rate"].to_pylist()
        return values

    return read
