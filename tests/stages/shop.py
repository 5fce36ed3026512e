"""A small shop, and engines that are all in memory: a whole pipeline in little time."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mlops_core.adapters.deployer.memory import MemoryDeployer
from mlops_core.adapters.feature_store.memory import MemoryOfflineStore
from mlops_core.adapters.ledger.memory import MemoryLedger
from mlops_core.adapters.online_store.memory import MemoryOnlineStore
from mlops_core.adapters.registry.memory import MemoryModelRegistry
from mlops_core.adapters.reporter.memory import MemoryReporter
from mlops_core.adapters.trainer.memory import MemoryTrainer
from mlops_core.domain.candidates import GradientBoosting, LogisticRegression
from mlops_core.domain.digest import digest_of
from mlops_core.domain.features import Count, Since
from mlops_core.domain.gates import GatePolicy, NonInferiority
from mlops_core.domain.labels import NoEventWithin
from mlops_core.domain.sources import Entity, EventSource
from mlops_core.domain.time import days
from mlops_core.domain.usecase import UseCase
from mlops_core.domain.views import FeatureView
from mlops_core.pipeline import build_pipeline
from mlops_core.promotion import standing_of
from mlops_core.provenance import STAGES, Code

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mlops_core.dag import Context
    from mlops_core.domain.standing import Standing
    from mlops_core.ports import (
        Deployer,
        Dispatcher,
        Ledger,
        ModelRegistry,
        OfflineStore,
        OnlineStore,
        Reporter,
        Trainer,
    )
    from mlops_core.workspace import Workspace

SHOP = UseCase(
    name="shop",
    entity=Entity(name="customer", key="customer_id"),
    sources=(EventSource(name="purchases", event_timestamp="bought_on"),),
    views=(
        FeatureView(
            name="history",
            source="purchases",
            features=(
                Count("orders"),
                Count("orders_60d", window=days(60)),
                Since("recency_days"),
            ),
        ),
    ),
    label=NoEventWithin(name="churned", source="purchases", horizon=days(60)),
    candidates=(LogisticRegression(), GradientBoosting()),
    gate=GatePolicy(  # the trainer in memory ranks, and is calibrated by chance alone
        floor=0.55,
        minimum_rows=50,
        minimum_per_class=5,
        comparison=NonInferiority(margin=0.02),
        scoring_margin=0.02,
        calibration=None,
        drift=None,
    ),
)


class MadeUpCode(Code):
    """Code that is said and not read: two definitions a stage, one of which all stages share.

    `versions` are what each is at, by its name: a stage's, or "common".
    """

    def __init__(self, **versions: str) -> None:
        self.versions = versions

    def parts(self, stage: str) -> Mapping[str, str]:
        """See `Code.parts`."""
        names = (stage.partition(".")[0], "common")
        return {f"shop:{name}": self.versions.get(name, "1") for name in names}

    def of(self, stage: str) -> str:
        """See `Code.of`."""
        return digest_of(self.parts(stage))

    @cached_property
    def all_parts(self) -> Mapping[str, str]:
        """See `Code.all_parts`."""
        return {one: digest for stage in STAGES for one, digest in self.parts(stage).items()}


@dataclass
class MemoryEngines:
    """Every port in memory; only the workspace is a folder."""

    workspace: Workspace
    trainer: Trainer = field(default_factory=MemoryTrainer)
    offline: OfflineStore = field(default_factory=MemoryOfflineStore)
    online: OnlineStore = field(default_factory=MemoryOnlineStore)
    registry: ModelRegistry = field(default_factory=MemoryModelRegistry)
    ledger: Ledger = field(default_factory=MemoryLedger)
    actor: str = "ana"
    code: Code = field(default_factory=MadeUpCode)
    reporter: Reporter = field(default_factory=MemoryReporter)
    dispatcher: Dispatcher | None = None
    deployer: Deployer = field(init=False)

    def __post_init__(self) -> None:
        self.deployer = MemoryDeployer(self.trainer)


def purchases(customers: int = 120, until: date = date(2021, 6, 30), seed: int = 0) -> pa.Table:
    """Customers who begin in the first half of 2020, buy at rates of their own, and leave one day."""
    random = np.random.default_rng(seed)
    rows: list[tuple[int, date]] = []
    for customer in range(customers):
        day = date(2020, 1, 1) + timedelta(days=int(random.integers(0, 180)))
        pause, life = random.uniform(10, 60), random.exponential(300)
        left = day + timedelta(days=float(life))
        while day <= min(left, date(2021, 12, 31)):
            rows.append((customer, day))
            day += timedelta(days=1 + int(random.exponential(pause)))
    kept = sorted(row for row in rows if row[1] <= until)
    return pa.table(
        {"customer_id": [customer for customer, _ in kept], "bought_on": [day for _, day in kept]}
    )


@dataclass
class Shop:
    """The pipeline on purchases; `run` is a whole run, its receipts by stage."""

    folder: Path
    engines: MemoryEngines

    def run(
        self, table: pa.Table | None = None, as_of: date | None = None, use_case: UseCase = SHOP
    ) -> Context:
        file = self.folder / "purchases.parquet"
        pq.write_table(purchases() if table is None else table, file)
        dag = build_pipeline(use_case, self.engines, data={"purchases": file}, as_of=as_of)
        return dag.execute()

    @property
    def standing(self) -> Standing:
        """What the ledger amounts to."""
        return standing_of(self.engines, "shop")

    def stages(self) -> dict[int, str]:
        """Stage of every version."""
        return dict(self.standing.stages)
