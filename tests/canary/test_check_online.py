"""What is wrong with the online features is told as such, and not laid to the release."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from mlops_core.adapters.online_store.memory import MemoryOnlineStore
from mlops_core.canary.rehearsal import check_online
from mlops_core.domain.time import days
from mlops_core.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_core.canary.aside import Loaded
    from mlops_core.domain.usecase import UseCase


def test_features_that_are_too_old_are_to_be_refreshed(
    use_case: UseCase, make: Callable[..., Loaded]
) -> None:
    view = use_case.views[0].model_copy(update={"staleness": days(1)})
    strict = use_case.model_copy(update={"views": (view,)})
    online = MemoryOnlineStore()
    table = pa.table({"customer_id": [1], "orders": [2], "basket": [20.0]})
    online.write(strict.online_name, table, ["customer_id"], datetime(2020, 1, 1, tzinfo=UTC))
    loaded = make()
    release = loaded.release.model_copy(update={"use_case": strict.model_dump_json()})
    with pytest.raises(Unavailable, match="refresh them with `mlops features materialise churn`"):
        check_online(replace(loaded, release=release), online, 1)


def test_features_by_other_definitions_are_none(make: Callable[..., Loaded]) -> None:
    with pytest.raises(Unavailable, match="no online features by the definitions of version 1"):
        check_online(make(), MemoryOnlineStore(), 1)


def test_a_broken_release_is_left_to_its_answers(
    store: MemoryOnlineStore, make: Callable[..., Loaded]
) -> None:
    class Broken:
        def predict(self, rows: Any) -> Any:
            return np.full(len(rows), np.nan)

    check_online(make(wrap=lambda _: Broken()), store, 1)
