"""The environment that Airflow needs for itself: with our own packages it would drag MLflow back to 1.27.

    python -m benchmarks.airflow_environment FOLDER

The tests of the exported DAG files run a real Airflow in it; nothing of ours is installed there. All versions
stand in `airflow-constraints.txt` beside this file.
"""

from __future__ import annotations

import sys
from pathlib import Path

from mlops_core.adapters.own_environment import OwnEnvironment

__all__ = ["AIRFLOW"]

AIRFLOW = OwnEnvironment(
    what="Airflow",
    requirements=("apache-airflow==3.3.2",),
    constraints=Path(__file__).with_name("airflow-constraints.txt"),
    variable="AIRFLOW_PYTHON",
    cache="airflow-3.3",
    module="benchmarks.airflow_environment",
)

if __name__ == "__main__":
    sys.exit(AIRFLOW.main(sys.argv[1:]))
