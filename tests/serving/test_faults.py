"""What callers see while releases are swapped, and when a real server is stopped or killed."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from benchmarks.serving_faults.callers import Callers
from benchmarks.serving_faults.shop import WAIT, Shop, until
from benchmarks.serving_faults.stops import killed, stopped, stopped_at_work, under_way
from benchmarks.serving_faults.swaps import swaps

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.live

CUT = {"RemoteDisconnected", "ConnectionResetError", "BrokenPipeError", "IncompleteRead"}


def test_swaps_under_load_fail_no_request(tmp_path: Path) -> None:
    """Every answer is whole and from a version that is current: each one answers, none comes back."""
    found = swaps(tmp_path, 25)
    assert (found.refused, found.errors, found.unnamed, found.older) == (0, 0, 0, 0)
    assert found.seen == frozenset(range(1, 27))
    assert found.requests > 100


def test_sigterm_under_load_loses_no_request(tmp_path: Path) -> None:
    """Callers are sent away with an answer, and until the drain is over new ones are answered."""
    found = stopped(tmp_path)
    assert found.sent == found.answered == found.logged > 8
    assert (found.refused, found.broken, found.late, found.exit_code) == (0, 0, 3, 0)


def test_what_is_under_way_at_sigterm_ends_first(tmp_path: Path) -> None:
    """Also without a drain."""
    found = stopped_at_work(tmp_path)
    assert found.sent == found.answered == found.logged == 8
    assert (found.refused, found.broken, found.exit_code) == (0, 0, 0)


def test_sigkill_under_load_breaks_connections_and_nothing_else(tmp_path: Path) -> None:
    """No answer is half a one, no file of the state is touched, and the next server goes on as before."""
    found = killed(tmp_path)
    assert found.sent == found.answered + sum(found.broken.values())
    assert set(found.broken) <= CUT
    assert (found.refused, found.damaged, found.same) == (0, (), True)


def test_ctrl_c_twice_waits_for_nobody(tmp_path: Path) -> None:
    """The first one waits for what is under way, the second one tells it to ask elsewhere."""
    shop = Shop(tmp_path)
    shop.deploy(1)
    with shop.serving(slow=1.0) as server:
        callers = Callers(server, 1)
        with callers.asking():
            until(lambda: under_way(server) == 1)
            server.process.send_signal(signal.SIGINT)
            until(lambda: not server.ready())  # nobody listens any more
            server.process.send_signal(signal.SIGINT)
            callers.join()
        assert server.process.wait(WAIT) == 0
    assert (callers.sent, callers.answers) == (1, {503: 1})
