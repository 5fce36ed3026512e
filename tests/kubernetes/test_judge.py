"""What a trial's servers count, held against its bounds."""

from __future__ import annotations

from typing import Any

import pytest

from mlops_core.adapters.kubernetes.judge import tallied, verdict
from mlops_core.domain.traffic import Bounds
from mlops_core.errors import MlopsError

INFER = "/v2/models/{name}/infer"


def page(*, good: int, bad: int = 0, slow: int = 0) -> str:
    """As a server writes it: failed requests have no version, and a scrape counts for nothing."""
    return f"""\
# TYPE mlops_requests_total counter
mlops_requests_total{{route="{INFER}",method="POST",status="200",version="2",arm="serving"}} {good}.0
mlops_requests_total{{route="{INFER}",method="POST",status="422",version="",arm=""}} 7.0
mlops_requests_total{{route="{INFER}",method="POST",status="500",version="",arm=""}} {bad}.0
mlops_requests_total{{route="/metrics",method="GET",status="500",version="",arm=""}} 999.0
# TYPE mlops_request_seconds histogram
mlops_request_seconds_bucket{{route="{INFER}",version="2",arm="serving",le="0.1"}} {good - slow}.0
mlops_request_seconds_bucket{{route="{INFER}",version="2",arm="serving",le="0.5"}} {good}.0
mlops_request_seconds_bucket{{route="{INFER}",version="2",arm="serving",le="+Inf"}} {good}.0
"""


def test_all_servers_are_summed() -> None:
    tally = tallied([page(good=93), page(good=143, bad=50)])
    assert (tally.requests, tally.errors) == (93 + 7 + 143 + 7 + 50, 50)


@pytest.mark.parametrize(
    ("given", "bounds", "said"),
    [
        ({"good": 93}, {}, None),
        ({"good": 40, "bad": 50}, {}, None),  # too few to judge
        ({"good": 90, "bad": 3}, {}, "3 of its 100 requests failed, more than 0.01 of them"),
        ({"good": 90, "bad": 3}, {"error_rate": None}, None),
        ({"good": 992, "bad": 1}, {}, None),
        ({"good": 193, "slow": 20}, {}, "beyond 250 ms"),
        ({"good": 193, "slow": 20}, {"latency_ms": None}, None),
        ({"good": 193, "slow": 20}, {"latency_ms": 500}, None),
        ({"good": 193, "slow": 1}, {}, None),
    ],
)
def test_beyond_a_bound_a_trial_ends(given: dict[str, int], bounds: dict[str, Any], said: str | None) -> None:
    found = verdict(tallied([page(**given)]), Bounds(**bounds))
    assert found is None if said is None else said in (found or "")


def test_a_page_of_somebody_else_is_an_error() -> None:
    with pytest.raises(MlopsError, match="/metrics is no such page"):
        tallied(['mlops_requests_total{route="/predict"} many'])
