"""One small delivery by the real engines, shared by the tests of the command line."""

from __future__ import annotations

import shutil
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from io import StringIO
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlops_core.adapters.registry.mlflow_location import StoreLocation
from mlops_core.adapters.registry.mlflow_store import MlflowStore
from mlops_core.cli import main
from mlops_core.commands import display
from mlops_core.domain.gates import Approval
from mlops_core.settings import Settings
from mlops_core.usecases.churn import CHURN
from mlops_core.wiring import ConfiguredEngines
from tests.promotion.desk import Desk

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Said:
    """How a command ended and what it wrote."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Terminal:
    """`mlops` in this process, on a state folder of its own, with a small events file."""

    events: Path
    home: Path

    def __call__(self, *words: str) -> Said:
        out, err = StringIO(), StringIO()
        with redirect_stdout(out), redirect_stderr(err), pytest.MonkeyPatch.context() as patch:
            patch.setenv("MLOPS_HOME", str(self.home))
            patch.setattr(display, "FIRST", float("inf"))  # what is said is no matter of how fast this is
            code = main(words)
        return Said(code, out.getvalue(), err.getvalue())


def purchases(customers: int = 900) -> pa.Table:
    """Eighteen months of purchases in the columns of the bundled file."""
    random = np.random.default_rng(7)
    rows: list[tuple[int, date, int, Decimal]] = []
    for customer in range(1, customers + 1):
        day = date(2021, 1, 1) + timedelta(days=int(random.integers(0, 120)))
        pause, left = random.uniform(15, 120), day + timedelta(days=float(random.exponential(250)))
        while day <= min(left, date(2022, 6, 30)):
            rows.append(
                (customer, day, int(random.integers(1, 5)), Decimal(int(random.integers(500, 9000))) / 100)
            )
            day += timedelta(days=1 + int(random.exponential(pause)))
    customer_ids, days, cds, usd = zip(*rows, strict=True)
    return pa.table(
        {
            "customer_id": pa.array(customer_ids, pa.int32()),
            "purchased_on": pa.array(days, pa.date32()),
            "cds": pa.array(cds, pa.int16()),
            "usd": pa.array(usd, pa.decimal128(8, 2)),
        }
    )


@pytest.fixture(scope="session")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small events file."""
    path = tmp_path_factory.mktemp("events") / "purchases.parquet"
    pq.write_table(purchases(), path)
    return path


@pytest.fixture(scope="session")
def delivered(events: Path, tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    """A state folder in which one version is in Production. Tests must not change it."""
    terminal = Terminal(events, tmp_path_factory.mktemp("delivered") / "home")
    said = terminal("run", "churn", "--data", str(events), "--floor", "0.6", "--quiet")
    assert said.code == 0, said.err
    return terminal


@pytest.fixture
def fresh(events: Path, tmp_path: Path) -> Terminal:
    """A state folder in which nothing is."""
    return Terminal(events, tmp_path / "home")


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of an MLflow store after its first use, to be copied."""
    location = StoreLocation.of(None, tmp_path_factory.mktemp("migrated"))
    with MlflowStore(location=location, patience=5.0).writing():
        assert location.database is not None
    return location.database


@pytest.fixture
def desk(fresh: Terminal, migrated: Path) -> Desk:
    """Small models at the state folder of `fresh`, entered, judged and promoted without a pipeline."""
    (fresh.home / "mlflow").mkdir(parents=True)
    shutil.copy(migrated, fresh.home / "mlflow" / "mlflow.db")
    return Desk(ConfiguredEngines(Settings(home=fresh.home, actor="ana")), policy=CHURN.gate)


@pytest.fixture
def asking(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """The same under `asking_case:CHURN`, whose policy wants another person's consent."""
    module = tmp_path / "asking_case.py"
    module.write_text(
        "from mlops_core.definitions import Approval\n"
        "from mlops_core.usecases.churn import CHURN as OPEN\n"
        "GATE = OPEN.gate.model_copy(update={'approval': Approval(by_another=True)})\n"
        "CHURN = OPEN.model_copy(update={'gate': GATE})\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    approval = Approval(by_another=True)
    return Desk(desk.engines, policy=CHURN.gate.model_copy(update={"approval": approval}))
