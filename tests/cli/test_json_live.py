"""What verbs print with `--json` of real deliveries has the published shape, of a model of numbers too."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from tests.cli.conftest import Terminal
from tests.cli.published import meets
from tests.reproduction.shop import CUSTOMERS, late_and_corrected, orders

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.promotion.desk import Desk

pytestmark = pytest.mark.live  # they deliver first

SPENDING = "small_spending:SPENDING"
CHURN = [
    ("plan", "plan churn"),
    ("why", "why churn.gate"),
    ("features list", "features list churn"),
    ("features show", "features show churn recency_days"),
    ("features get", "features get churn --id 1 2"),
    ("features get", "features get churn --id 1 --at 2022-03-31"),
    ("features history", "features history churn"),
    ("features verify", "features verify churn --sample 5"),
    ("models list", "models list churn"),
    ("models show", "models show churn"),
    ("models compare", "models compare churn@1"),
    ("gate", "gate churn 1"),
    ("approvals", "approvals"),
    ("traffic", "traffic churn"),
    ("history", "history churn"),
    ("history --at", "history churn --at 2020-01-01"),
    ("evidence", "evidence churn"),
    ("registry verify", "registry verify churn --check"),
    ("gc", "gc"),
    ("predict", "predict churn --id 1 2"),
    ("export", "export churn --to yaml"),
    ("task list", "task list churn"),
    ("canary", "canary churn 1 --served --requests 100"),
    ("doctor", "doctor"),
]


@pytest.mark.parametrize(("verb", "words"), CHURN)
def test_what_a_verb_prints_has_the_published_shape(delivered: Terminal, verb: str, words: str) -> None:
    """On a real delivery; no field is missing and none is there that the schema does not name."""
    said = delivered(*words.split(), "--json")
    assert said.code == 0, said.err
    meets(verb, said.out)


def test_a_run_and_what_it_stores_have_the_published_shape(delivered: Terminal, tmp_path: Path) -> None:
    """Of verbs that take events."""
    data = ("--data", str(delivered.events))
    run = delivered("run", "churn", *data, "--floor", "0.6", "--json")
    assert meets("run", run.out)["status"] == "already delivered"
    meets("features validate", delivered("features", "validate", "churn", *data, "--json").out)
    said = delivered("export", "churn", "--to", "airflow", "--into", str(tmp_path), "--json")
    assert [one["state"] for one in meets("export", said.out)["files"]] == ["written"]


def test_answers_have_the_published_shape(asking: Desk, fresh: Terminal) -> None:
    """Two questions, one of them refused and one consented to."""
    because = ("--reason", "seen", "--actor", "bo", "--json")
    for seed in (1, 2):
        asking.ask(asking.judged(seed))
    assert len(meets("approvals", fresh("approvals", "--json").out)) == 2
    said = fresh("reject", "asking_case:CHURN", "2", *because)
    assert meets("reject", said.out)["answer"] == "refused"
    said = fresh("approve", "asking_case:CHURN", "1", *because)
    assert meets("approve", said.out)["deed"]["production"] == 1
    assert meets("models list", fresh("models", "list", "churn", "--json").out)


def test_deeds_have_the_published_shape(desk: Desk, fresh: Terminal) -> None:
    """Two promotions, a trip back, and what was in Production meanwhile."""
    because = ("--reason", "seen", "--json")
    for number in (1, 2):
        desk.judged(number)
        done = meets("promote", fresh("promote", "churn", str(number), *because).out)
        assert (done["production"], done["previous"]) == (number, number - 1 or None)
    back = meets("rollback", fresh("rollback", "churn", *because).out)
    assert (back["production"], back["previous"]) == (1, 2)
    now = desk.standing.entries[-1].at.isoformat()
    assert meets("history --at", fresh("history", "churn", "--at", now, "--json").out)["production"]
    assert meets("history", fresh("history", "churn", "--json").out)[0]["number"] == 1


def test_an_error_stays_a_sentence(delivered: Terminal) -> None:
    """On standard error, and nothing on standard output that could be taken for a result."""
    said = delivered("models", "show", "churn@7", "--json")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("mlops: churn has no version @7")


def test_what_changes_a_feature_store_has_the_published_shape(spending: Terminal, tmp_path: Path) -> None:
    """Its own one, whose orders come in parts."""
    store = Terminal(spending.events, tmp_path / "home")
    data = (SPENDING, "--data", str(store.events), "--json")
    receipt = meets("features materialise", store("features", "materialise", *data).out)
    assert receipt["online_rows"] == CUSTOMERS
    pq.write_table(late_and_corrected(datetime.now(UTC)), tmp_path / "late.parquet")
    said = store("features", "upsert", SPENDING, "--data", str(tmp_path / "late.parquet"), "--json")
    assert meets("features upsert", said.out)["orders"]["number"] == 2
    said = store("features", "expire", SPENDING, "--before", "2024-03-01", "--json")
    held = meets("features expire", said.out)["orders"]
    assert held["number"] == 2  # a sum over all time looks at every order, so that none goes


def test_a_version_made_again_has_the_published_shape(delivered: Terminal) -> None:
    said = delivered("reproduce", "churn", "1", "--json")
    assert meets("reproduce", said.out)["verdict"] == "identical", said.err


NUMBERS = [
    ("plan", "plan {}"),
    ("features list", "features list {}"),
    ("features get", "features get {} --id 1 2"),
    ("features verify", "features verify {}"),
    ("models list", "models list {}"),
    ("models show", "models show {}"),
    ("models compare", "models compare {}@1"),
    ("gate", "gate {} 1"),
    ("canary", "canary {} 1 --served"),
    ("traffic", "traffic {}"),
    ("history", "history {}"),
    ("evidence", "evidence {}"),
    ("reproduce", "reproduce {} 1"),
    ("predict", "predict {} --id 1 2"),
    ("export", "export {} --to json"),
    ("task list", "task list {}"),
]


@pytest.fixture(scope="module")
def spending(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A model of numbers in Production, of the use case `SPENDING`."""
    folder = tmp_path_factory.mktemp("spending")
    code = "from tests.regression import spending\n\nSPENDING = spending()\n"
    (folder / "small_spending.py").write_text(code)
    pq.write_table(orders(), folder / "orders.parquet")
    terminal = Terminal(folder / "orders.parquet", folder / "home")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.syspath_prepend(str(folder))
        yield terminal


def test_a_model_of_numbers_has_the_published_shape(spending: Terminal) -> None:
    """A release, and every verb that shows something of it: no threshold, no positives, a prediction."""
    said = spending("run", SPENDING, "--data", str(spending.events), "--json")
    assert said.code == 0, said.err
    assert meets("run", said.out)["status"] == "delivered"
    for verb, words in NUMBERS:
        said = spending(*words.format(SPENDING).split(), "--json")
        assert said.code == 0, (verb, said.err)
        found = meets(verb, said.out)
        if verb == "predict":
            assert {"prediction"} == found[0].keys() & {"prediction", "probability", "label"}
