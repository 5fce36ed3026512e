"""Online equals offline: served values against a point-in-time read at the same instant, for a sample."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mlops_core.domain.online import ExpectedValues
from mlops_core.domain.receipts import ParityReport
from mlops_core.domain.time import close_of_day
from mlops_core.point_in_time import historical_features

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    import pyarrow as pa

    from mlops_core.domain.online import FeatureValue
    from mlops_core.domain.usecase import UseCase
    from mlops_core.ports import OfflineStore, OnlineStore

__all__ = ["SAMPLE", "compare_online", "expected_values", "known_at", "sampled"]

SAMPLE = 200
"""How many entities are looked at."""

_TOLERANCE = 1e-9


def expected_values(
    use_case: UseCase,
    offline: OfflineStore,
    events: Mapping[str, Path],
    at: datetime,
    *,
    as_known_at: datetime | None,
    sample: int | None,
) -> pa.Table:
    """Key columns and features at `at`, from history: of all entities, or of `sample` spread over them."""
    source = events[use_case.label.source]
    spine = offline.spine(use_case, source, [at], as_known_at=as_known_at)
    if sample is not None and spine.num_rows > sample:
        spine = spine.take([position * spine.num_rows // sample for position in range(sample)])
    table = historical_features(use_case, offline, events, spine, as_known_at=as_known_at)
    return table.select([*use_case.entity.keys, *use_case.feature_names])


def known_at(instant: datetime, last_event: datetime) -> datetime | None:
    """What a read at `instant` may know: all there is, or only that recorded by then if events went on."""
    return instant if instant < close_of_day(last_event) else None


def sampled(use_case: UseCase, table: pa.Table) -> ExpectedValues:
    """A table of key columns and features, as it is compared with."""
    columns = [table[name].to_pylist() for name in use_case.entity.keys]
    return ExpectedValues(
        keys=tuple(columns[0] if len(columns) == 1 else zip(*columns, strict=True)),
        values={name: tuple(table[name].to_pylist()) for name in use_case.feature_names},
    )


def compare_online(
    use_case: UseCase, online: OnlineStore, expected: ExpectedValues, at: datetime
) -> ParityReport:
    """Look the expected entities up online and compare every value.

    Integers must be equal, floats within 1e-9 of each other relative to the larger, nulls null in both.
    """
    found = online.read(use_case.online_name, expected.keys)
    differing = {
        name: sum(
            one is not None and not _equal(value, one.get(name))
            for value, one in zip(values, found, strict=True)
        )
        for name, values in expected.values.items()
    }
    return ParityReport(
        as_of=at,
        compared=len(expected.keys),
        missing=sum(one is None for one in found),
        differing={name: count for name, count in differing.items() if count},
    )


def _equal(expected: FeatureValue, found: FeatureValue) -> bool:
    if expected is None or found is None:
        return expected is found
    if isinstance(expected, int) and isinstance(found, int):
        return expected == found
    return math.isclose(expected, found, rel_tol=_TOLERANCE, abs_tol=0.0)
