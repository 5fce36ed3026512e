"""What Feast 0.67 alone answers otherwise than our rules: the reasons for what the adapter does around it.

Each is a strict xfail, so that a Feast that mends it is noticed; docs/feast.md lists them.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.live

BIG = 2**60 + 1


def wrong(reason: str) -> Callable[[Callable[..., None]], Any]:
    """Feast answers otherwise, for `reason`."""
    return pytest.mark.xfail(strict=True, reason=f"Feast 0.67: {reason}")


@pytest.fixture(scope="module")
def alone(feast_python: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What each case found."""
    script = Path(__file__).with_name("feast_alone.py")
    done = subprocess.run(  # noqa: S603 - a script of ours, no shell
        [str(feast_python), "-W", "ignore", str(script)],
        cwd=tmp_path_factory.mktemp("alone"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@wrong("the duckdb store fails on a ttl of mixed units")
def test_a_ttl_of_36_hours_is_a_ttl(alone: dict[str, Any]) -> None:
    assert alone["mixed ttl"] == 2


@wrong("the duckdb store drops columns whose names end in _y")
def test_a_feature_may_end_in_y(alone: dict[str, Any]) -> None:
    assert alone["name ending in _y"] == 2


@wrong("to_df makes floats of integers beside a missing row; to_arrow does not")
def test_integers_are_exact_in_a_frame(alone: dict[str, Any]) -> None:
    assert alone["frame"] == BIG


@wrong("write_to_online_store makes floats of integers beside a null")
def test_integers_are_exact_online(alone: dict[str, Any]) -> None:
    assert alone["integer beside a null"] == BIG


@wrong("an older row that is pushed later replaces the newer one")
def test_the_newest_row_wins_online(alone: dict[str, Any]) -> None:
    assert alone["older after newer"] == 2


@wrong("the ttl is not looked at online (feast#1802)")
def test_an_expired_value_is_not_served(alone: dict[str, Any]) -> None:
    assert alone["ttl online"] is None


@wrong('a key "1" finds 1')
def test_keys_are_typed(alone: dict[str, Any]) -> None:
    assert alone["text for an integer"] != 2
