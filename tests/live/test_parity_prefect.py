"""The same by our Prefect flow and by the exported one, on one server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.parity.on_prefect import ExportedFlow, OwnFlow, prefect_server
from tests.every_point import nightly
from tests.live.parity_suite import Held, delivered, rejected, shop, waiting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.parity.way import Way

__all__ = ["delivered", "rejected", "shop", "waiting"]  # fixtures of the suite
pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The API of a server for all runs."""
    with prefect_server(tmp_path_factory.mktemp("prefect")) as url:
        yield url


class TestOwnFlow(Held):
    """`python flows/churn.py`."""

    @pytest.fixture
    def way(self, api: str) -> Way:
        """The way that is tested."""
        return OwnFlow(api)


@nightly  # test_prefect_export.py runs the file too
class TestExportedFlow(Held):
    """The file of `mlops export --to prefect`."""

    exit_codes = False

    @pytest.fixture
    def way(self, api: str) -> Way:
        """The way that is tested."""
        return ExportedFlow(api)
