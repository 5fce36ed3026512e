"""What the servers of a release on trial say of themselves, held against the bounds of the trial.

Only what their /metrics count is judged: errors, and the 99th percentile of the time a request takes, read
off the histogram as Prometheus' `histogram_quantile` does. Scores are not: theirs are counted by the row.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlops_core.errors import MlopsError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlops_core.domain.traffic import Bounds

__all__ = ["Tally", "tallied", "verdict"]

_INFINITE = float("inf")


@dataclass
class Tally:
    """Requests for predictions; `below` is how many took at most so many seconds."""

    requests: int = 0
    errors: int = 0
    below: Counter[float] = field(default_factory=Counter)


def tallied(pages: Iterable[str]) -> Tally:
    """The sum over the servers' pages of metrics. Raises `MlopsError` for what is no such page."""
    from prometheus_client.parser import text_string_to_metric_families

    tally = Tally()
    try:
        for page in pages:
            for family in text_string_to_metric_families(page):
                for sample in family.samples:
                    if not _predicts(sample.labels.get("route", "")):
                        continue
                    if sample.name == "mlops_requests_total":
                        tally.requests += int(sample.value)
                        tally.errors += int(sample.value) * _failed(sample.labels.get("status", ""))
                    elif sample.name == "mlops_request_seconds_bucket":
                        tally.below[float(sample.labels["le"])] += int(sample.value)
    except (LookupError, ValueError) as error:
        raise MlopsError(
            f"kubernetes: what a server answered to /metrics is no such page: {error}"
        ) from error
    return tally


def verdict(tally: Tally, bounds: Bounds) -> str | None:
    """Why the trial may not go on; None while it may."""
    if tally.requests < bounds.fewest:
        return None
    if bounds.error_rate is not None and tally.errors > bounds.error_rate * tally.requests:
        return (
            f"{tally.errors} of its {tally.requests:,} requests failed, more than "
            f"{bounds.error_rate:.3g} of them"
        )
    slow = 1000 * _quantile(tally.below, 0.99)
    if bounds.latency_ms is not None and slow > bounds.latency_ms:
        return (
            f"1 in 100 of its {tally.requests:,} requests took {slow:.0f} ms or more, "
            f"beyond {bounds.latency_ms:g} ms"
        )
    return None


def _predicts(route: str) -> bool:
    return route == "/predict" or route.endswith("/infer")


def _failed(status: str) -> bool:
    return status == "none" or status.startswith("5")


def _quantile(below: Counter[float], share: float) -> float:
    total = below[_INFINITE]
    if total == 0:
        return 0.0
    wanted, low, there = share * total, 0.0, 0
    for bound in sorted(below):
        if below[bound] >= wanted:
            if bound == _INFINITE:
                return low
            return low + (bound - low) * (wanted - there) / max(below[bound] - there, 1)
        low, there = bound, below[bound]
    return low
