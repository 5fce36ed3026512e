"""A use case that `mlops new` wrote, delivered by its flow and, by a worker, as its deployment."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.every_point import nightly, sample
from tests.live.site import POOL, Site, succeeds
from tests.scaffold.shapes import SHAPES, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.live.conftest import Environment

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory,
    project: Path,
    environment: type[Environment],
    until: Callable[..., Any],
    stop: Callable[..., None],
) -> Iterator[Site]:
    """A checkout and a server with a worker; `mlops` is on the PATH, as exported flows want it."""
    site = Site(tmp_path_factory.mktemp("site"), project, environment, until)
    path = f"{Path(sys.executable).parent}:{site.environment.variables['PATH']}"
    site.environment.variables = {**site.environment.variables, "PATH": path}
    try:
        server = site.serve()
        succeeds(site.prefect("work-pool", "create", POOL, "--type", "process"))
        worker = site.work()
        yield site
        stop(worker)
        stop(server)
        until(lambda: not site.environment.processes(), "the last process to end")
    finally:
        site.kill()


def _new(site: Site, folder: Path, name: str) -> None:
    shutil.copy(site.checkout / "mlops_core" / "data" / "cdnow.parquet", folder / "events.parquet")
    words = ("--key", "customer_id", "--time", "purchased_on", "--predict", "churn", "--horizon", "90")
    # python -m takes the checkout that it stands in, where there is one
    command = ("-m", "mlops_core.cli", "new", name, "--events", "events.parquet", *words)
    succeeds(site.environment.run("python", *command, cwd=folder))


def _delivers(site: Site, folder: Path, name: str, entrypoint: str) -> None:
    """All is deployed, its own too, and a run of it on the worker ends with a version that serves."""
    succeeds(site.environment.run("prefect", "--no-prompt", "deploy", "--all", cwd=folder))
    (found,) = [key for key in site.deployments() if key.startswith(f"{name}/")]
    assert site.deployments()[found]["entrypoint"] == entrypoint
    state = site.once(site.start(found))
    assert (state["type"], state["message"]) == ("COMPLETED", f"{name} version 1: delivered")


def test_in_a_checkout_its_deployment_and_its_flow_deliver(site: Site) -> None:
    """Its test passes; by the worker first, then by hand, where all is known already."""
    _new(site, site.checkout, "own_case")
    done = site.environment.run(
        "python", "-m", "pytest", "-q", "-n", "0", "tests/test_own_case.py", cwd=site.checkout
    )
    assert "2 passed" in done.stdout, done.stdout
    _delivers(site, site.checkout, "own_case", "flows.own_case.own_case")
    # What `python flows/own_case.py` runs where that checkout is the one that is installed; here another is
    succeeds(site.environment.run("python", "-m", "flows.own_case", cwd=site.checkout))


@nightly
def test_elsewhere_its_deployment_delivers(site: Site, tmp_path: Path) -> None:
    """A folder without this project's files; docs/own-data.md runs its flow by hand."""
    _new(site, tmp_path, "shop")
    _delivers(site, tmp_path, "shop", "shop_flow.py:shop")


@pytest.mark.parametrize(
    ("shape", "predict"), sample([(shape, what) for shape in SHAPES for what in ("churn", "sum")], 8, 1)
)
def test_events_of_any_shape_come_to_a_verdict(
    environment: type[Environment], tmp_path: Path, shape: str, predict: str
) -> None:
    """Few rows are no failure: the gate says that there are too few."""
    numbers = {"purchases": "usd", "visits": "Umsatz (€)", "sparse": "alarms", "few": "minutes"}
    events, site = write(shape, tmp_path), environment(tmp_path / "state", tmp_path / "prefect")
    label = "churn" if predict == "churn" else f"sum:{numbers[shape]}"
    words = [*shlex.split(SHAPES[shape][2]), "--predict", label, "--horizon", "30"]
    succeeds(site.run("mlops", "new", "own_case", "--events", events.name, *words, cwd=tmp_path))
    done = site.run("mlops", "run", "own_case:OWN_CASE", cwd=tmp_path)
    succeeds(done)
    assert "own_case 1, Staging" in done.stdout, done.stdout
    assert "rows" in done.stdout.partition("rejected")[2]
