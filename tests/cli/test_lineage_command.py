"""`mlops lineage` as a person uses it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Terminal
    from tests.promotion.desk import Desk


def test_a_version_is_told_by_stage_by_number_and_by_default(fresh: Terminal, desk: Desk) -> None:
    """Without a version it is the one in Production."""
    desk.delivered(1, 2)
    second = fresh("lineage", "churn@2")
    assert second.code == 0
    assert second.out.startswith("churn version 2, Production; times are UTC\n\n┌─ events: orders")
    assert "target serves it" in second.out
    assert fresh("lineage", "churn") == second
    first = fresh("lineage", "churn@ARCHIVED").out
    assert first.startswith("churn version 1, Archived")
    assert "for version 2" in first


@pytest.mark.live  # a second more, and told without engines in tests/descent
def test_a_rollback_with_waived_checks_is_told(fresh: Terminal, desk: Desk) -> None:
    """Of the version that was left, and of the one that came back without a new decision."""
    desk.delivered(1)
    version = desk.judged(2, "drift")
    desk.promote(version, waive=["drift"], reason="a new country")
    desk.roll_back()
    left = fresh("lineage", "churn@2").out
    for words in (
        "decision: rejected",
        "why a new country",
        "waived drift",
        "rolled back to version 1 by ana",
    ):
        assert words in left
    assert "rests on a rollback, no decision" in fresh("lineage", "churn@1").out


def test_an_unknown_version_gets_the_list(fresh: Terminal, desk: Desk) -> None:
    """Of those that there are with their stages; an unknown model that of the models."""
    desk.delivered(1)
    desk.judged(2)
    for which in ("7", "archived", "prod"):
        said = fresh("lineage", f"churn@{which}")
        assert (said.code, said.out) == (2, "")
        assert f"churn has no version @{which}: there are 1 (Production), 2 (Staging)" in said.err
    said = fresh("lineage", "chrun")
    assert (said.code, "churn" in said.err) == (2, True)


def test_nothing_is_registered_yet(fresh: Terminal) -> None:
    """The sentence says what to do."""
    said = fresh("lineage", "churn")
    assert (said.code, "deliver one with `mlops run churn`" in said.err) == (2, True)


def test_json_and_page_tell_of_the_same_release(fresh: Terminal, desk: Desk, tmp_path: Path) -> None:
    """Both at once; the page can be written over, the bytes of two calls are equal."""
    (version,) = desk.delivered(1)
    page = tmp_path / "new" / "lineage.html"
    said = fresh("lineage", "churn", "--html", str(page), "--json")
    assert said.code == 0
    release = json.loads(said.out)[-1]["run"]["facets"]["mlops_release"]
    assert release["name"] == f"releases/churn/1-{version.digest[:12]}"
    assert release["name"] in page.read_text()
    first = page.read_bytes()
    again = fresh("lineage", "churn", "--html", str(page))
    assert again.out == f"{page}: the lineage of churn version 1\n"
    assert page.read_bytes() == first


def test_a_page_that_cannot_be_written_is_one_sentence(fresh: Terminal, desk: Desk, tmp_path: Path) -> None:
    """A file where a folder should be."""
    desk.delivered(1)
    (tmp_path / "file").write_text("")
    said = fresh("lineage", "churn", "--html", str(tmp_path / "file" / "lineage.html"))
    assert (said.code, said.out) == (2, "")
    assert f"mlops: cannot write the page {tmp_path / 'file' / 'lineage.html'}" in said.err
    assert "--html" in said.err


def test_a_release_that_was_changed_hides_nothing_else(fresh: Terminal, desk: Desk) -> None:
    """The rest is told, and that the target cannot be trusted."""
    desk.delivered(1)
    (manifest,) = (fresh.home / "releases" / "churn").glob("1-*/release.json")
    manifest.write_text(manifest.read_text() + " ")
    said = fresh("lineage", "churn")
    assert said.code == 0
    assert "the target was left out" in said.err
    assert "release: releases/churn/1-" in said.out
    assert "target" not in said.out


@pytest.mark.live
def test_a_real_delivery_is_told_with_its_events(delivered: Terminal) -> None:
    """Rows, days and version of the history, Python and commit of the run, columns behind the features."""
    said = delivered("lineage", "churn")
    assert (said.code, said.err) == (0, "")
    for words in ("days 2021-01-01 to 2022-06-30", "history version 1", "features 12", "python 3."):
        assert words in said.out
    events = json.loads(delivered("lineage", "churn", "--json").out)
    (features,) = events[0]["outputs"]
    read = features["facets"]["columnLineage"]["fields"]["spend"]["inputFields"]
    assert read == [{"namespace": "mlops", "name": "churn/events/purchases", "field": "usd"}]
