"""The same by the exported DAG file in a real Airflow."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks.parity.on_airflow import airflow
from tests.live.parity_suite import Parity, delivered, rejected, shop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.parity.way import Way

__all__ = ["delivered", "rejected", "shop"]  # fixtures of the suite
pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    """One Airflow for all runs."""
    python = os.environ.get("AIRFLOW_PYTHON")
    if python is None:
        pytest.skip("AIRFLOW_PYTHON names no Python: python -m benchmarks.airflow_environment makes one")
    with airflow(Path(python), tmp_path_factory.mktemp("airflow")) as way:
        yield way


class TestAirflow(Parity):
    """The file of `mlops export --to airflow`; a run that waits for a person stays open there."""

    exit_codes = False

    @pytest.fixture
    def way(self, started: Way) -> Way:
        """The way that is tested."""
        return started
