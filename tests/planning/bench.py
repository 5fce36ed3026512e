"""A shop whose definitions, data, code and kept outputs can be edited, and what a run of it really did."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from mlops_core.adapters.feature_store.memory import MemoryOfflineStore
from mlops_core.dag import RunFailed
from mlops_core.domain.digest import file_digests
from mlops_core.domain.gates import NonInferiority
from mlops_core.pipeline import build_pipeline
from mlops_core.planning import Plan, Planner
from mlops_core.promotion import standing_of
from mlops_core.workspace import Workspace
from tests.stages.shop import SHOP, MadeUpCode, MemoryEngines, purchases

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date
    from pathlib import Path

    import pyarrow as pa

    from mlops_core.domain.history import Ingested
    from mlops_core.domain.inputs import Inputs
    from mlops_core.domain.standing import Standing
    from mlops_core.domain.usecase import UseCase

# So lenient that champions change, on few rows
_LENIENT = {"minimum_rows": 20, "comparison": NonInferiority(margin=0.4), "scoring_margin": 0.4}
SMALL = SHOP.model_copy(update={"gate": SHOP.gate.model_copy(update=_LENIENT)})


class SeenWorkspace(Workspace):
    """Notes for which stages, and which keys, something was made."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.made: list[tuple[str, str]] = []

    def _make(self, inputs: Inputs, make: Callable[[Path], Any]) -> Any:
        receipt = super()._make(inputs, make)
        self.made.append((inputs.stage, inputs.key))
        return receipt


class SeenStore(MemoryOfflineStore):
    """Counts how often events are read."""

    def __init__(self) -> None:
        self.ingested = 0

    def ingest(self, *given: Any, **options: Any) -> Ingested:
        self.ingested += 1
        return super().ingest(*given, **options)


@dataclass
class Bench:
    """What a run is made of; `made` are the keys of the outputs that lie there undamaged, by stage."""

    folder: Path
    table: pa.Table = field(default_factory=lambda: purchases(40))
    file: str = "purchases.parquet"
    use_case: UseCase = SMALL
    as_of: date | None = None
    code: dict[str, str] = field(default_factory=dict)
    made: dict[str, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.workspace, self.offline = SeenWorkspace(self.folder / "home"), SeenStore()
        self.engines = MemoryEngines(self.workspace, offline=self.offline)

    @property
    def standing(self) -> Standing:
        """What the ledger amounts to."""
        return standing_of(self.engines, "shop")

    def told(self) -> dict[str, Any]:
        """What a plan and a run are told alike."""
        path = self.folder / self.file
        pq.write_table(self.table, path)
        self.engines.code = MadeUpCode(**self.code)
        return {"data": {"purchases": path}, "as_of": self.as_of}

    def plan(self) -> Plan:
        """The plan; it has to leave the state folder as it was."""
        planner, before = Planner(self.use_case, self.engines, **self.told()), self.state()
        try:
            return planner.plan()
        finally:
            assert self.state() == before

    def state(self) -> dict[str, str]:
        """Every file in the state folder."""
        return file_digests(self.workspace.home)

    def run(self) -> tuple[dict[str, Any], set[str]]:
        """The receipts of a run and the names of the tasks that worked in it. Raises `RunFailed`."""
        before, versions = self.standing, len(self.engines.registry.versions("shop"))
        serving, ingested = self.engines.deployer.current("shop"), self.offline.ingested
        self.workspace.made.clear()
        dag = build_pipeline(self.use_case, self.engines, **self.told())
        try:
            context: dict[str, Any] = dag.execute()
        finally:
            for stage, key in self.workspace.made:
                self.made.setdefault(stage, set()).add(key)
        worked = {stage for stage, _ in self.workspace.made}
        kinds = {entry.event.kind for entry in self.standing.entries[before.head :]}
        if self.offline.ingested > ingested:
            worked.add("feature_store")
        if len(self.engines.registry.versions("shop")) > versions:
            worked.add("model_registry")
        if "decided" in kinds:
            worked.add("gate")
        if "approval requested" in kinds:
            worked.add("approval")
        if kinds & {"promoted", "deployed"} or self.engines.deployer.current("shop") != serving:
            worked.add("deployment")
        return context, worked

    def fails(self) -> str | None:
        """Why a run fails; None when it does not."""
        try:
            self.run()
        except RunFailed as failed:
            return str(failed.__cause__)
        return None

    def remove(self, stage: str) -> None:
        """The outputs of a stage go, as somebody's housekeeping takes them."""
        shutil.rmtree(self.workspace.home / "stages" / stage, ignore_errors=True)
        self.made.pop(stage, None)

    def damage(self, stage: str) -> None:
        """A byte of every output of a stage changes."""
        for record in (self.workspace.home / "stages" / stage).glob("*/receipt.json"):
            record.write_bytes(record.read_bytes().replace(b'"key": "', b'"key": "0', 1))
            self.made.pop(stage, None)

    def policy(self, **changed: Any) -> None:
        """Another policy of the gate."""
        gate = self.use_case.gate.model_copy(update=changed)
        self.use_case = self.use_case.model_copy(update={"gate": gate})

    def features(self, *features: Any) -> None:
        """Other features in the one view."""
        view = self.use_case.views[0].model_copy(update={"features": features})
        self.use_case = self.use_case.model_copy(update={"views": (view,)})
