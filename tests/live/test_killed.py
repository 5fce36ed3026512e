"""A run that is killed in any stage is finished by the next: the same receipts, one version, no debris."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mlops_core.domain.receipts import GateReceipt
from mlops_core.settings import Settings
from mlops_core.wiring import ConfiguredEngines
from tests.every_point import sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_core.domain.release import Release
    from tests.live.conftest import Environment

pytestmark = pytest.mark.live

DRIVER = Path(__file__).with_name("killed_run.py")
POINTS = {  # where it is killed, and what then has to lie about, or the kill came too early or too late
    "history": "features/churn/*/*.parquet",
    "feature_store": "stages/feature_store/.*.draft/online.parquet",
    "training_set": "stages/training_set/.*.draft/rows.parquet",
    "model_training.logistic": "stages/model_training.logistic/.*.draft/model/*",
    "model_training.boosting": "stages/model_training.boosting/.*.draft/model/*",
    "model_evaluation": "stages/model_evaluation/.*.draft/report.html",
    "model_registry": "mlflow/staging/MLmodel",
    "gate": "stages/gate/.*.draft/decision.json",
    "ledger.before": "mlflow/artifacts/models/*/artifacts/MLmodel",
    "ledger.after": "ledger.db",
    "promoted": "releases/churn/1-*/release.json",
    "deployment.prepared": ".scratch-*/*",
    "deployment.activated": "releases/churn/current.json",
}
UNDER_PREFECT = ("model_training.boosting", "promoted")
"""Killed as a flow with a server of its own; the others without Prefect, which takes half the time."""
TRIED = list(dict.fromkeys((*sample(POINTS, 3), *UNDER_PREFECT)))
OF_ONE_RUN = ("mlflow/artifacts/", "locks/")  # named by MLflow at random; empty


class Shop:
    """A state folder and what runs on it."""

    def __init__(self, environment: Environment, project: Path, purchases: Path, folder: Path) -> None:
        self.environment, self.project, self.purchases = environment, project, purchases
        self.folder = folder  # no project in it, and no settings
        self.home = environment.home

    def run(self, *script: object) -> tuple[int, str]:
        """Run a script on the purchases; exit code and output."""
        done = self.environment.run("python", *script, "--data", self.purchases, cwd=self.folder)
        return done.returncode, done.stdout

    def deliver(self, *, flow: bool = True) -> None:
        """Run the main job to its end, as a flow or without Prefect."""
        if flow:
            code, output = self.run(self.project / "flows" / "churn.py")
        else:
            code, output = self.run("-m", "mlops_core.cli", "run", "churn")
        assert code == 0, output

    def versions(self) -> list[dict[str, Any]]:
        """What `mlops models list` says."""
        done = self.environment.run("mlops", "models", "list", "churn", "--json", cwd=self.folder)
        assert done.returncode == 0, done.stdout
        found: list[dict[str, Any]] = json.loads(done.stdout)
        return found

    def served(self) -> Release | None:
        """The release that the pointer names, every file compared with its digest."""
        return ConfiguredEngines(Settings(home=self.home)).deployer.current("churn")

    def receipts(self) -> dict[str, Any]:
        """Every stored receipt by its place, of which the key of its inputs is a part."""
        files = self.home.glob("stages/*/*/receipt.json")
        found = {self._place(file): json.loads(file.read_bytes())["receipt"] for file in files}
        for receipt in found.values():
            if "decision" in receipt:  # it measures how long a prediction takes, which its digest leaves out
                receipt["decision"] = GateReceipt.model_validate_json(json.dumps(receipt)).decision.digest
        return found

    def files(self) -> set[str]:
        """Everything in the state folder but what SQLite keeps beside an open database."""
        places = {self._place(path) for path in self.home.rglob("*")}
        return {
            one for one in places if not one.startswith(OF_ONE_RUN) and not one.endswith(("-wal", "-shm"))
        }

    def _place(self, path: Path) -> str:
        return path.relative_to(self.home).as_posix()


@pytest.fixture(scope="module")
def make_shop(
    tmp_path_factory: pytest.TempPathFactory, environment: type[Environment], project: Path, purchases: Path
) -> Callable[[], Shop]:
    """Makes shops with nothing in their state folders, and one Prefect home."""
    prefect_home = tmp_path_factory.mktemp("prefect")

    def make() -> Shop:
        folder = tmp_path_factory.mktemp("shop")
        return Shop(environment(folder / "state", prefect_home), project, purchases, folder)

    return make


@pytest.fixture(scope="module")
def undisturbed(make_shop: Callable[[], Shop], until: Callable[..., Any]) -> Shop:
    """A run that nobody killed."""
    shop = make_shop()
    shop.deliver()
    until(lambda: not shop.environment.processes(), "its server to end")
    return shop


@pytest.mark.parametrize("point", TRIED)
def test_a_killed_run_is_finished_by_the_next(
    point: str, make_shop: Callable[[], Shop], undisturbed: Shop, until: Callable[..., Any]
) -> None:
    """Killed in this stage, and run again, all is as if nothing had happened."""
    shop, flow = make_shop(), point in UNDER_PREFECT
    code, output = shop.run(DRIVER, point, "flow" if flow else "mlops")
    assert code == -signal.SIGKILL, output
    assert list(shop.home.glob(POINTS[point])), "it was not killed where it should have been"
    until(lambda: not shop.environment.processes(), "the dead run's own server to end")

    shop.deliver(flow=flow)
    until(lambda: not shop.environment.processes(), "the run's own server to end")
    assert shop.receipts() == undisturbed.receipts()
    assert shop.files() == undisturbed.files()
    (version,), (expected,) = shop.versions(), undisturbed.versions()
    assert (version["number"], version["stage"]) == (1, "Production")
    assert version["digest"] == expected["digest"]
    served = shop.served()
    assert served is not None
    assert (served.version, served.digest) == (1, version["digest"])


def test_a_run_of_its_own_server_is_seen_by_these_tests(
    make_shop: Callable[[], Shop], until: Callable[..., Any], stop: Callable[..., None]
) -> None:
    """The search for left-over processes finds both, and neither once the run was stopped."""
    shop = make_shop()
    script = shop.project / "flows" / "churn.py"
    arguments = (script, "--data", shop.purchases)
    run = shop.environment.start("python", *arguments, cwd=shop.folder, log=shop.folder / "log")
    try:
        until(lambda: len(shop.environment.processes()) >= 2, "a run and its server")
    finally:
        stop(run)
    until(lambda: not shop.environment.processes(), "both to end")
