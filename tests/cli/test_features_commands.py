"""`mlops features …` as a person or a script uses it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Terminal


@pytest.fixture
def filled(fresh: Terminal) -> Terminal:
    """A feature store with events and online values, and nothing else."""
    said = fresh("features", "materialise", "churn", "--data", str(fresh.events))
    assert said.code == 0, said.err
    assert "purchases: " in said.out
    assert "online: 900 entities as of 2022-06-30" in said.out
    return fresh


def test_the_list_names_every_feature(delivered: Terminal) -> None:
    said = delivered("features", "list", "churn")
    assert said.code == 0
    for name in ("orders", "recency_days", "spend_90d", "last 90 days"):
        assert name in said.out
    listed = json.loads(delivered("features", "list", "churn", "--json").out)
    assert all(one["served"] for one in listed)


def test_one_definition_is_shown(delivered: Terminal) -> None:
    shown = json.loads(delivered("features", "show", "churn", "spend_90d").out)
    assert (shown["is"], shown["kind"], shown["column"], shown["window"]) == ("feature", "sum", "usd", "P90D")
    said = delivered("features", "show", "churn", "spent")
    assert said.code == 2
    assert "churn defines no 'spent'" in said.err


def test_online_values_are_read_by_id(filled: Terminal) -> None:
    said = filled("features", "get", "churn", "--id", "1", "2", "--json")
    found = json.loads(said.out)
    assert found["as_of"] == "2022-06-30T23:59:59.999999+00:00"
    assert [one["id"] for one in found["entities"]] == [1, 2]
    assert found["entities"][0]["features"]["orders"] > 0


def test_values_of_an_earlier_time_are_read_from_history(filled: Terminal) -> None:
    now = json.loads(filled("features", "get", "churn", "--id", "1", "--json").out)
    at = "2022-06-30T23:59:59.999999+00:00"
    then = json.loads(filled("features", "get", "churn", "--id", "1", "--at", at, "--json").out)
    assert then == now
    early = json.loads(filled("features", "get", "churn", "--id", "1", "--at", "2020-01-01", "--json").out)
    assert early["entities"][0]["features"]["orders"] == 0


def test_an_unknown_id_is_said_and_the_others_are_shown(filled: Terminal) -> None:
    said = filled("features", "get", "churn", "--id", "1", "77777")
    assert said.code == 2
    assert "1 of 2 ids have no features of churn" in said.err
    assert "recency_days" in said.out


def test_verification_says_equal(filled: Terminal) -> None:
    said = filled("features", "verify", "churn")
    assert said.code == 0
    assert "online and offline are equal" in said.out


def test_verification_finds_what_was_changed_and_anew_mends_it(filled: Terminal) -> None:
    with closing(sqlite3.connect(filled.home / "online.db")) as database:
        (table,) = database.execute(
            "SELECT name FROM sqlite_master WHERE name LIKE '%row%' AND type = 'table'"
        ).fetchone()
        database.execute(f"DELETE FROM {table}")  # noqa: S608 - the name is the store's own
        database.commit()
    said = filled("features", "verify", "churn")
    assert said.code == 1
    assert "200 are not online" in said.out
    assert filled("features", "materialise", "churn", "--data", str(filled.events), "--anew").code == 0
    assert filled("features", "verify", "churn").code == 0


def test_the_other_spelling_is_the_same_command(filled: Terminal) -> None:
    said = filled("features", "materialize", "churn", "--data", str(filled.events))
    assert said.code == 0
    assert "online: 900 entities" in said.out


def test_history_lists_versions(filled: Terminal) -> None:
    (one,) = json.loads(filled("features", "history", "churn", "--json").out)["purchases"]
    assert (one["number"], one["how"]) == (1, "whole")
    assert "purchases" in filled("features", "history", "churn").out


def test_events_are_checked_without_storing_them(fresh: Terminal, tmp_path: Path) -> None:
    said = fresh("features", "validate", "churn", "--data", f"purchases={fresh.events}")
    assert said.code == 0
    assert "keep the contract" in said.out
    assert "nothing is stored" in fresh("features", "history", "churn").out
    broken = tmp_path / "broken.csv"
    broken.write_text("customer_id,purchased_on,cds,usd\n1,2021-01-01,1,2.5\n2,yesterday,1,2.5\n")
    said = fresh("features", "validate", "churn", "--data", str(broken))
    assert said.code == 2
    assert "row 2" in said.err
    said = fresh("features", "validate", "churn", "--data", str(broken), "--quarantine", str(tmp_path / "q"))
    assert said.code == 0
    assert "1 rows were set aside" in said.out
    assert pq.read_table(tmp_path / "q" / "purchases.parquet").num_rows == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("get", "churn", "--id", "1", "--at", "soon"), "'soon' is no date or time"),
        (("get", "churn", "--id", "1", "--as-known-at", "2022-01-01"), "give --at"),
        (("materialise", "churn", "--as-of", "1998-02-30"), "no date like"),
        (("materialise", "churn", "--data", "nowhere.parquet"), "nowhere.parquet"),
        (("materialise", "churn", "--data", "orders=x.parquet"), "no source 'orders'"),
        (("upsert", "churn"), "upsert needs rows to add"),
        (("verify", "churn", "--sample", "0"), "no number of entities"),
        (("verify", "churn"), "features materialise churn"),
        (("expire", "churn", "--before", "2022-01-01"), "features materialise churn"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_bad_input_ends_in_one_sentence(fresh: Terminal, words: tuple[str, ...], said: str) -> None:
    ended = fresh("features", *words)
    assert ended.code == 2
    assert said in ended.err
    assert len(ended.err.splitlines()) == 1


def test_definitions_that_cannot_be_meant_are_all_told_at_once(
    fresh: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_case.py").write_text(
        "from mlops_core.definitions import *\n"
        "CASE = UseCase(name='c', entity=Entity(name='e', key='k'), sources=(EventSource(name='s', "
        "event_timestamp='t'),), "
        "views=(FeatureView(name='v', source='r', features=(Count('a'), Count('a'))),), "
        "label=NoEventWithin(name='l', source='s', horizon=days(3)), candidates=(LogisticRegression(),), "
        "gate=GatePolicy(floor=0.5))\n"
    )
    monkeypatch.chdir(tmp_path)
    ended = fresh("features", "list", "broken_case:CASE")
    assert ended.code == 2
    assert "'a' is used 2 times" in ended.err
    assert "reads source 'r', which is not among ['s']" in ended.err
    assert len(ended.err.splitlines()) == 1


def test_a_misspelt_command_is_guessed(fresh: Terminal) -> None:
    said = fresh("features", "verfy", "churn")
    assert said.code == 2
    assert "did you mean 'verify'?" in said.err
