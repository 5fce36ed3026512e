"""A shop whose releases are folders, what people and pipelines do to it, and what must hold after a gc."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from mlops_core.adapters.deployer.local import LocalDeployer
from mlops_core.domain.digest import digest_file
from mlops_core.domain.features import Count, Since
from mlops_core.domain.gates import Approval
from mlops_core.domain.ledger import Deployed
from mlops_core.domain.time import days
from mlops_core.domain.usecase import UseCase
from mlops_core.domain.views import FeatureView
from mlops_core.history import EventHistory
from mlops_core.pipeline import build_pipeline
from mlops_core.promotion import answer, content_of, registered, roll_back, standing_of
from mlops_core.retention import Retention
from mlops_core.workspace import Workspace
from tests.stages.shop import SHOP, MemoryEngines, purchases

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from mlops_core.dag import Context
    from mlops_core.domain.standing import Standing
    from mlops_core.retention import Found

NAME = "shop"


def shop(*, window: int = 60, floor: float = 0.55, asks: bool = False, quick: bool = False) -> UseCase:
    """The shop's definitions, with a window of its own and another policy."""
    features = (Count("orders"), Count("orders_in_window", window=days(window)), Since("recency_days"))
    changed = {"floor": floor, "approval": Approval() if asks else None}
    candidates = SHOP.candidates[:1] if quick else SHOP.candidates
    return SHOP.model_copy(
        update={
            "views": (FeatureView(name="history", source="purchases", features=features),),
            "gate": SHOP.gate.model_copy(update=changed),
            "candidates": candidates,
        }
    )


@dataclass
class Store:
    """One state folder. Models, registry and ledger are in memory; events, outputs and releases on disk."""

    folder: Path
    engines: Any = field(init=False)

    def __post_init__(self) -> None:
        self.home = self.folder / "home"
        engines = MemoryEngines(Workspace(self.home))
        engines.deployer = LocalDeployer(home=self.home, trainer=engines.trainer)
        self.engines = engines

    def run(self, use_case: UseCase, *, seed: int = 0, as_of: date | None = None) -> Context:
        """A whole delivery on the purchases of that seed."""
        file = self.folder / f"purchases-{seed}.parquet"
        if not file.exists():
            pq.write_table(purchases(seed=seed), file)
        return build_pipeline(use_case, self.engines, data={"purchases": file}, as_of=as_of).execute()

    def roll_back(self, to: int | None = None) -> None:
        """Back to what served before."""
        roll_back(self.engines, NAME, to=to, actor="ana", reason="complaints")

    def approve(self, number: int, use_case: UseCase) -> None:
        """A person's consent."""
        version = registered(self.engines, NAME, number)
        answer(self.engines, version, use_case.gate, consent=True, actor="bo", reason="read the report")

    @property
    def standing(self) -> Standing:
        """Where the versions stand."""
        return standing_of(self.engines, NAME)

    def found(self, older_than: timedelta = timedelta(0), use_case: str | None = None) -> list[Found]:
        """What nobody refers to."""
        return self.retention.garbage(use_case, older_than=older_than)

    @property
    def retention(self) -> Retention:
        """What is kept and what may go."""
        return Retention(engines=self.engines, releases=self.engines.deployer)

    def collect(self) -> list[str]:
        """Remove all of it; what went."""
        found = self.found()
        for one in found:
            assert one.remove(), f"{one.item.what} was left"
        return [one.item.what for one in found]

    def worked(self) -> set[tuple[str, object]]:
        """Every time that a stage had to work, as far as is remembered."""
        return {
            (use.inputs.stage, took.at) for use in self.engines.workspace.journal.all() for took in use.worked
        }

    def lost_events(self) -> list[str]:
        """Events that a version was trained on and that are not there as they were stored."""
        lost = []
        for version in self.engines.registry.versions(NAME):
            theirs = UseCase.stored(version.use_case, NAME)
            history = EventHistory(theirs, self.engines)
            for source in theirs.sources:
                held = history.find(source, version.lineage.data[source.name])
                if held is None or not held.present or digest_file(history.path(held)) != held.file_digest:
                    lost.append(f"{source.name} of version {version.number}")
        return lost

    def lost_releases(self) -> list[str]:
        """Releases that served and that do not lie ready with what the ledger has of them last."""
        lost = []
        last = {entry.version: entry for entry in self.standing.served}
        for number, entry in last.items():
            release = self.engines.deployer.find(NAME, number, entry.model)
            assert isinstance(entry.event, Deployed)
            if release is None or content_of(release) != entry.event.content:
                lost.append(f"version {number}")
        return lost
