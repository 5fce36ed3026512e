"""The environment that MLServer needs for itself: it wants an older FastAPI and Protobuf than ours.

    python -m benchmarks.mlserver_environment FOLDER

`benchmarks/serving.py` measures it; nothing of ours is installed there. All versions stand in
`mlserver-constraints.txt` beside this file.
"""

from __future__ import annotations

import sys
from pathlib import Path

from mlops_core.adapters.own_environment import OwnEnvironment

__all__ = ["MLSERVER"]

MLSERVER = OwnEnvironment(
    what="MLServer",
    requirements=("mlserver==1.7.1", "mlserver-sklearn==1.7.1", "scikit-learn==1.9.1", "skops==0.16.0"),
    constraints=Path(__file__).with_name("mlserver-constraints.txt"),
    variable="MLSERVER_PYTHON",
    cache="mlserver-1.7",
    module="benchmarks.mlserver_environment",
)

if __name__ == "__main__":
    sys.exit(MLSERVER.main(sys.argv[1:]))
