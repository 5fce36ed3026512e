"""One churn delivery without Prefect that says how long each stage took and which engines it imported.

`benchmarks/main_job.py --stages` runs it in a process of its own, for the state folder `MLOPS_HOME`.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from mlops_core.dag import Hooks
from mlops_core.delivery import Delivery
from mlops_core.parameters import parameters_of
from mlops_core.pipeline import WORKERS
from mlops_core.settings import Settings
from mlops_core.usecases.churn import CHURN

if TYPE_CHECKING:
    from mlops_core.dag import TaskRun

ENGINES = (
    "alembic",
    "duckdb",
    "mlflow",
    "numpy",
    "pandas",
    "pyarrow",
    "scipy",
    "skops",
    "sklearn",
    "sqlalchemy",
)


def deliver() -> None:
    """Deliver and print a table; stages that run at the same time share the processors."""
    print("| stage | wall, s | processor until its end, s | engines it was the first to import |")
    print("| --- | --: | --: | --- |")
    seen = set(_imported())
    print(f"| (start and imports) | | {time.process_time():.3f} | {', '.join(sorted(seen))} |")

    def said(run: TaskRun) -> None:
        new = [name for name in _imported() if name not in seen]
        seen.update(new)
        print(f"| {run.name} | {run.seconds:.3f} | {time.process_time():.3f} | {', '.join(new)} |")

    delivery = Delivery(CHURN, parameters_of(CHURN)(), Settings.load())
    delivery.dag.execute(max_workers=WORKERS, hooks=Hooks(on_finish=said))


def _imported() -> list[str]:
    return [name for name in ENGINES if name in sys.modules]


if __name__ == "__main__":
    deliver()
