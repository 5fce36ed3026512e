"""Run by `test_live_trial.py`: `python served_wrong.py HOME HOW` serves, and version 2 behaves like HOW."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from mlops_core.adapters.online_store.memory import MemoryOnlineStore
from mlops_core.adapters.trainer.memory import MemoryTrainer
from mlops_core.serving.app import create_app
from mlops_core.serving.follower import ReleaseFollower
from mlops_core.serving.server import serve
from tests.serving.trials import WrongDeployer

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    source = WrongDeployer(home=Path(sys.argv[1]), trainer=MemoryTrainer(), how=sys.argv[2])
    follower = ReleaseFollower(name="churn", source=source, store=MemoryOnlineStore(), interval=0.1)
    serve(create_app(follower=follower), port=0)
