"""The environment that `mlflow server` needs for itself: full MLflow's pins (pyarrow < 26) fight ours.

    python -m mlops_core.adapters.registry.mlflow_server_environment FOLDER

It has psycopg as well, for a server that keeps its records in PostgreSQL. All versions stand in
`mlflow-server-constraints.txt` beside this file; we ourselves go on with `mlflow-skinny`, which is a client.
"""

from __future__ import annotations

import sys
from pathlib import Path

from mlops_core.adapters.own_environment import OwnEnvironment

__all__ = ["MLFLOW_SERVER"]

MLFLOW_SERVER = OwnEnvironment(
    what="MLflow's server",
    requirements=("mlflow>=3.17,<3.18", "psycopg[binary]>=3.2"),
    constraints=Path(__file__).with_name("mlflow-server-constraints.txt"),
    variable="MLFLOW_PYTHON",
    cache="mlflow-3.17",
    module="mlops_core.adapters.registry.mlflow_server_environment",
)

if __name__ == "__main__":
    sys.exit(MLFLOW_SERVER.main(sys.argv[1:]))
