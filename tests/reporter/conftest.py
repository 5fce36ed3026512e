"""Contents to report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mlops_core.domain.report import ReportContent
from mlops_core.metrics import intervals, point_metrics

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def make_content() -> Callable[..., ReportContent]:
    """Makes a content of so many rows and candidates; named fields replace its own."""

    def make(rows: int = 500, candidates: int = 2, **changed: Any) -> ReportContent:
        random = np.random.default_rng(8)
        chosen = random.random(rows)
        labels = (random.random(rows) < chosen).astype(np.int8)
        names = ["chosen_one", *(f"other_{number}" for number in range(candidates - 1))]
        scores = {name: np.clip(chosen + random.normal(0, 0.1, rows), 0, 1) for name in names} | {
            names[0]: chosen
        }
        fields: dict[str, Any] = {
            "title": "churn: chosen_one",
            "chosen": "chosen_one",
            "threshold": 0.5,
            "labels": labels,
            "scores": scores,
            "metrics": intervals(labels, chosen, 0.5, replicates=20) if "metrics" not in changed else {},
            "validation": {name: point_metrics(labels, values, 0.5) for name, values in scores.items()},
            "importances": {"recency_days": (0.12, 0.01), "orders": (0.01, 0.02), "idle": (-0.001, 0.001)},
            "facts": [("Data", "1998-03-31"), ("Digest", "ab" * 32)],
        }
        return ReportContent(**(fields | changed))

    return make
