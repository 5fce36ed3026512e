"""The way out: not ready, then closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlops_core.serving.drain import Drain

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from mlops_core.domain.release import Bundle
    from mlops_core.serving.follower import ReleaseFollower


def test_a_server_that_is_about_to_stop_is_not_ready_and_still_answers(
    ask_with: Callable[..., Callable[..., httpx.Response]],
    deploy: Callable[..., Bundle],
    follower: ReleaseFollower,
) -> None:
    """Callers are asked to come back elsewhere, by closing their connections."""
    deploy(1)
    follower.refresh()
    drain = Drain(5)
    ask = ask_with(drain=drain)
    assert ask("GET", "/v2/health/ready").status_code == 200
    assert "connection" not in ask("POST", "/predict", json={"ids": [1]}).headers
    drain.begin()
    for path in ("/v2/health/ready", "/v2/models/churn/ready"):
        assert ask("GET", path).status_code == 503
    assert ask("GET", "/v2/health/live").status_code == 200
    answer = ask("POST", "/predict", json={"ids": [1]})
    assert (answer.status_code, answer.headers["connection"]) == (200, "close")


@pytest.mark.parametrize(("seconds", "over"), [(0.0, True), (5.0, False)])
def test_a_drain_is_over_when_its_time_is(seconds: float, over: bool) -> None:
    """Without any time it is over at once."""
    now = 10.0
    drain = Drain(seconds, clock=lambda: now)
    assert not drain.over
    drain.begin()
    assert drain.over is over
    now += 5
    assert drain.over


def test_who_asks_again_does_not_wait() -> None:
    """SIGTERM twice is a hurry."""
    drain = Drain(60, clock=lambda: 1.0)
    drain.begin()
    assert not drain.over
    drain.begin()
    assert drain.over
