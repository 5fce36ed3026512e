"""A Prefect flow of as many empty tasks as the churn pipeline has, with the same dependencies.

What `benchmarks/main_job.py` measures against. `python benchmarks/bare_flow.py` is plain Prefect; with the
word `handled` behind it, this project's `flows/server.py` starts the server.
"""

from __future__ import annotations

import sys
from typing import Any

from flows import server

HANDLED = sys.argv[1:] == ["handled"]
if __name__ == "__main__" and HANDLED:  # before Prefect reads its settings
    server.start()

from prefect import flow, task  # noqa: E402 - see above


@task
def feature_store() -> None:
    """Nothing."""


@task
def feature_verification(_store: Any) -> None:
    """Nothing."""


@task
def training_set(_store: Any) -> None:
    """Nothing."""


@task
def logistic(_rows: Any) -> None:
    """Nothing."""


@task
def boosting(_rows: Any) -> None:
    """Nothing."""


@task
def model_evaluation(_rows: Any, _first: Any, _second: Any) -> None:
    """Nothing."""


@task
def model_registry(_store: Any, _rows: Any, _judged: Any) -> None:
    """Nothing."""


@task
def gate(_store: Any, _rows: Any, _judged: Any, _version: Any) -> None:
    """Nothing."""


@task
def approval(_version: Any, _decision: Any) -> None:
    """Nothing."""


@task
def deployment(_verified: Any, _version: Any, _decision: Any, _answer: Any) -> None:
    """Nothing."""


@flow
def bare() -> None:
    """The ten tasks."""
    store = feature_store.submit()
    verified = feature_verification.submit(store)
    rows = training_set.submit(store)
    first, second = logistic.submit(rows), boosting.submit(rows)
    judged = model_evaluation.submit(rows, first, second)
    version = model_registry.submit(store, rows, judged)
    decision = gate.submit(store, rows, judged, version)
    answer = approval.submit(version, decision)
    deployment.submit(verified, version, decision, answer).wait()


if __name__ == "__main__":
    with server.ready():
        bare()
