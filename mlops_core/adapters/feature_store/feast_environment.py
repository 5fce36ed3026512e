"""The environment that Feast 0.67 needs for itself: its pins (pandas < 3, redis < 8) fight ours.

    python -m mlops_core.adapters.feature_store.feast_environment FOLDER

All versions stand in `feast-constraints.txt` beside this file: with `feast` alone, pip is free to take a
Feast of years ago that asks for less.
"""

from __future__ import annotations

import sys
from pathlib import Path

from mlops_core.adapters.own_environment import OwnEnvironment

__all__ = ["FEAST"]

FEAST = OwnEnvironment(
    what="Feast",
    requirements=("feast[duckdb,redis]==0.67.*",),
    constraints=Path(__file__).with_name("feast-constraints.txt"),
    variable="FEAST_PYTHON",
    cache="feast-0.67",
    module="mlops_core.adapters.feature_store.feast_environment",
)

if __name__ == "__main__":
    sys.exit(FEAST.main(sys.argv[1:]))
