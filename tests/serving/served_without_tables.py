"""Run by `test_no_table_library.py`: answers by the server's own code where pandas and pyarrow are not there.

`python served_without_tables.py HOME` prints the answers to one row and to one id.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path


class _Missing:
    """An importer that is asked first and has them fail."""

    @staticmethod
    def find_spec(name: str, *_: object) -> None:
        if name.partition(".")[0] in ("pandas", "pyarrow", "polars", "duckdb"):
            raise ModuleNotFoundError(f"{name} is not there", name=name)


sys.meta_path.insert(0, _Missing)

import httpx  # noqa: E402 - nothing may be imported before

from mlops_core.adapters.deployer.local import LocalDeployer  # noqa: E402
from mlops_core.adapters.online_store.sqlite import SQLiteOnlineStore  # noqa: E402
from mlops_core.adapters.trainer.quick import QuickTrainer  # noqa: E402
from mlops_core.serving.app import create_app  # noqa: E402
from mlops_core.serving.follower import ReleaseFollower  # noqa: E402


async def answers(home: Path) -> None:
    """Ask both ways."""
    follower = ReleaseFollower(
        name="churn",
        source=LocalDeployer(home=home, trainer=QuickTrainer()),
        store=SQLiteOnlineStore(home / "online.db"),
    )
    follower.refresh()
    transport = httpx.ASGITransport(app=create_app(follower=follower))
    tensors = [
        {"name": name, "shape": [1], "datatype": "FP64", "data": [3.0]} for name in ("orders", "basket")
    ]
    async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
        for path, body in (("/v2/models/churn/infer", {"inputs": tensors}), ("/predict", {"ids": [1]})):
            answer = await client.post(path, json=body)
            sys.stdout.write(f"{answer.status_code} {answer.text}\n")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    asyncio.run(answers(Path(sys.argv[1])))
