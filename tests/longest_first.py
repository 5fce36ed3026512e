"""The live tests that take longest begin first, so that in the end no process works while others are done.

Left alone, pytest-xdist hands out files by how many tests they have, and those that take longest have few.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

__all__ = ["LONGEST", "are_live", "longest_first"]

LONGEST = (  # as measured by `pytest -m live -n 0 --durations=0`; a file that is not here comes after them
    "tests/live/test_new_use_case.py",
    "tests/live/test_tutorial.py",
    "tests/live/test_approval.py",
    "tests/scaffold/test_docs_own_data.py",
    "tests/live/test_first_hour.py",
    "tests/test_docs_notebook.py",
    "tests/live/test_parity_prefect.py",
    "tests/live/test_lost_runs.py",
    "tests/live/test_airflow.py",
    "tests/registry/test_mlflow_interruption.py",
    "tests/live/test_parity_airflow.py",
    "tests/live/test_parity_github.py",
    "tests/live/test_prefect_deployments.py",
    "tests/live/test_parity.py",
    "tests/live/test_prefect_export.py",
    "tests/live/test_killed_promotion.py",
    "tests/live/test_killed.py",
    "tests/live/test_clusters.py",
    "tests/live/test_postgresql_prefect.py",
    "tests/registry/test_mlflow_server.py",
    "tests/flows/test_dask.py",
    "tests/live/test_github_actions.py",
    "tests/live/test_killed_backfill.py",
    "tests/reproduction/test_docs_reproduce.py",
    "tests/planning/test_edited_code.py",
)


def are_live(config: pytest.Config) -> bool:
    """Whether the tests marked `live` are asked for, and no others."""
    return str(config.option.markexpr) == "live"


def longest_first(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the tests of those files first, in that order; all others stay as they are."""
    places = {config.rootpath / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))
