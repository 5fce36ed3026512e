"""Several use cases delivered at once: each by itself, with a line of its own in how the run ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from flows.delivery import REJECTED
from flows.segments import segments
from mlops_core.settings import Settings
from mlops_core.wiring import ConfiguredEngines

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.flows.conftest import Ran

REGIONS = """
from pathlib import Path
from mlops_core.definitions import Query, segment
from mlops_core.usecases.churn import CHURN

ONE = CHURN.model_copy(update={{"candidates": CHURN.candidates[:1]}})
ALL = "SELECT * FROM '{file}'"
EVEN = segment(ONE, "even", {{"purchases": Query(sql=ALL + " WHERE customer_id % 2 = 0")}})
ODD = segment(ONE, "odd", {{"purchases": Query(sql=ALL + " WHERE customer_id % 2 = 1")}})
FEW = segment(ONE, "few", {{"purchases": Query(sql=ALL + " WHERE customer_id < 60")}})
BROKEN = segment(ONE, "broken", {{"purchases": Path("nowhere.parquet")}})
TWIN = ODD
HOMELESS = ODD.model_copy(update={{"sources": (ODD.sources[0].model_copy(update={{"query": None}}),)}})
"""
pytestmark = pytest.mark.live
EVEN, ODD, FEW, BROKEN = (f"regions:{name}" for name in ("EVEN", "ODD", "FEW", "BROKEN"))


class Regions:
    """A state folder, the user's own module, and runs with both."""

    def __init__(self, folder: Path, purchases: Path, run_flow: Callable[..., Ran]) -> None:
        self.home, self._folder, self._run_flow = folder / "state", folder, run_flow
        (folder / "regions.py").write_text(REGIONS.format(file=purchases))

    def run(self, *use_cases: str, **more: Any) -> Ran:
        """Deliver these."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("MLOPS_HOME", str(self.home))
            patch.syspath_prepend(self._folder)
            return self._run_flow(segments, use_cases=use_cases, **more)


@pytest.fixture(scope="module")
def regions(
    tmp_path_factory: pytest.TempPathFactory, run_flow: Callable[..., Ran], purchases: Callable[[int], Path]
) -> Regions:
    """Two segments that are large enough for the gate, one that is not, and one without data."""
    return Regions(tmp_path_factory.mktemp("regions"), purchases(1300), run_flow)


@pytest.fixture(scope="module")
def mixed(regions: Regions) -> Ran:
    """A run in which one is delivered, one is rejected and one fails."""
    return regions.run(BROKEN, FEW, ODD)


def test_one_that_fails_or_is_rejected_leaves_the_others_alone(regions: Regions, mixed: Ran) -> None:
    assert mixed.state.is_failed()
    head, *lines = str(mixed.state.message).splitlines()
    assert head == "1 of 3 segments failed: churn_broken"
    assert [line.partition(":")[0] for line in lines] == [
        "churn_broken",
        "churn_few version 1",
        "churn_odd version 1",
    ]
    assert "nowhere.parquet" in lines[0]
    assert lines[1].startswith("churn_few version 1: rejected: ")
    assert lines[2] == "churn_odd version 1: delivered"
    engines = ConfiguredEngines(Settings(home=regions.home))
    assert engines.ledger.names() == ["churn_few", "churn_odd"]
    release = engines.deployer.current("churn_odd")
    assert release is not None
    assert engines.deployer.current("churn_few") is None


def test_each_can_be_looked_at(mixed: Ran) -> None:
    kinds = ("summary", "metrics", "gate", "report")
    expected = {f"churn-{name}-{kind}" for name in ("few", "odd") for kind in kinds}
    assert {key for key in mixed.artifacts() if key.startswith("churn")} == expected


def test_every_segment_s_stages_are_task_runs(mixed: Ran) -> None:
    """Of the one whose events are not there, they did not begin."""
    found = mixed.task_runs(27)
    assert {name.partition(".")[0] for name in found} == {"churn_broken", "churn_few", "churn_odd"}
    completed = {name for name, run in found.items() if run.state is not None and run.state.is_completed()}
    assert {name for name in completed if name.startswith("churn_broken")} == set()
    assert {"churn_odd.model_training.logistic", "churn_odd.deployment"} <= completed


def test_all_delivered_is_completed_with_a_line_each(regions: Regions, mixed: Ran) -> None:
    """What was delivered before is found; who ran it is in the ledger."""
    assert mixed.state.is_failed()
    ran = regions.run(EVEN, ODD, actor="ann")
    assert ran.state.is_completed(), ran.state.message
    assert str(ran.state.message).splitlines() == [
        "churn_even version 1: delivered",
        "churn_odd version 1: already delivered",
    ]
    assert {name: one.status for name, one in ran.result.items()} == {
        "churn_even": "delivered",
        "churn_odd": "already delivered",
    }
    entries = ConfiguredEngines(Settings(home=regions.home)).ledger.entries("churn_even")
    assert {entry.actor for entry in entries} == {"ann"}


def test_a_rejection_fails_it_when_that_is_asked_for(regions: Regions, mixed: Ran) -> None:
    assert mixed.state.is_failed()
    ran = regions.run(FEW, ODD, fail_on_rejection=True)
    assert (ran.state.is_failed(), ran.state.name) == (True, REJECTED)
    assert str(ran.state.message).startswith(
        "1 of 2 segments were rejected: churn_few\nchurn_few version 1: "
    )
    assert regions.run(FEW).state.is_completed()


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["churn", "chrun"], "no use case 'chrun': did you mean 'churn'?"),
        ([ODD, "regions:NORTH"], "no use case regions:NORTH: "),
        ([ODD, "regions:TWIN"], "--use-cases: regions:ODD and regions:TWIN are both called 'churn_odd'"),
        (["regions:HOMELESS"], "--use-cases: regions:HOMELESS: no events for source purchases: name them"),
    ],
    ids=["name", "attribute", "twice the same", "no data"],
)
def test_a_segment_that_cannot_be_meant_stops_it_with_one_sentence(
    regions: Regions, names: list[str], said: str
) -> None:
    ran = regions.run(*names)
    assert ran.state.is_failed()
    assert str(ran.state.message).startswith(said)
