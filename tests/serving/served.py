"""Run by `test_live_server.py`: `python served.py HOME` serves what is released in HOME, at a free port."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from mlops_core.adapters.deployer.local import LocalDeployer
from mlops_core.adapters.online_store.sqlite import SQLiteOnlineStore
from mlops_core.adapters.trainer.sklearn import SklearnTrainer
from mlops_core.serving.app import create_app
from mlops_core.serving.follower import ReleaseFollower
from mlops_core.serving.server import serve

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    home = Path(sys.argv[1])
    follower = ReleaseFollower(
        name="churn",
        source=LocalDeployer(home=home, trainer=SklearnTrainer()),
        store=SQLiteOnlineStore(home / "online.db"),
        interval=0.1,
    )
    serve(create_app(follower=follower), port=0)
    sys.stdout.write("stopped\n")
