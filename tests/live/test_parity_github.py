"""The same by the exported GitHub workflow, under act."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.parity.on_github import GitHub
from tests.every_point import nightly
from tests.live.parity_suite import Held, delivered, rejected, shop, waiting

if TYPE_CHECKING:
    from benchmarks.parity.way import Way

__all__ = ["delivered", "rejected", "shop", "waiting"]  # fixtures of the suite
pytestmark = [pytest.mark.live, nightly]  # test_github_actions.py runs such files too


class TestGitHub(Held):
    """The file of `mlops export --to github-actions`."""

    exit_codes = False

    @pytest.fixture
    def way(self) -> Way:
        """The way that is tested."""
        return GitHub()
