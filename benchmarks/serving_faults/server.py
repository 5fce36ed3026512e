"""The server of these scenarios, at a free port: what `shop.py` runs with the words HOME DRAIN SLOW.

DRAIN is in seconds, SLOW how many the model takes to predict. It logs JSON lines to standard error.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_core.adapters.deployer.local import LocalDeployer
from mlops_core.adapters.online_store.sqlite import SQLiteOnlineStore
from mlops_core.adapters.trainer.memory import MemoryModel, MemoryTrainer
from mlops_core.serving.app import create_app
from mlops_core.serving.drain import Drain
from mlops_core.serving.follower import ReleaseFollower
from mlops_core.serving.logs import logging_as
from mlops_core.serving.server import serve

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class SlowModel(MemoryModel):
    """A model that takes its time, so that requests are under way when something happens."""

    def __init__(self, model: MemoryModel, seconds: float) -> None:
        self.__dict__.update(model.__dict__)
        self._seconds = seconds

    def predict(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """The same, later."""
        time.sleep(self._seconds)
        return super().predict(rows)


class SlowTrainer(MemoryTrainer):
    """Loads models that take so many seconds to predict."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def load(self, folder: Path) -> SlowModel:
        """A slow one."""
        return SlowModel(super().load(folder), self._seconds)


def main() -> None:
    """Serve until told to stop."""
    home, drain, slow = Path(sys.argv[1]), Drain(float(sys.argv[2])), float(sys.argv[3])
    logging_as("json")
    source = LocalDeployer(home=home, trainer=SlowTrainer(slow) if slow else MemoryTrainer())
    store = SQLiteOnlineStore(home / "online.db")
    follower = ReleaseFollower(name="churn", source=source, store=store, interval=0.05)
    serve(create_app(follower=follower, drain=drain), port=0, drain=drain)


if __name__ == "__main__":
    main()
