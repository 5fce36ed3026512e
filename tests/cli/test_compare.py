"""`mlops models compare`: a version beside the champion, as a table, as Markdown and as JSON."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from mlops_core.commands.compare_page import LONGEST, plain, to_markdown
from mlops_core.commands.output import one_line
from mlops_core.comparison import Comparison
from mlops_core.domain.gates import Check
from mlops_core.promotion import standing_of
from mlops_core.workspace import Workspace
from tests.stages.shop import SHOP, MadeUpCode, MemoryEngines, Shop, purchases

if TYPE_CHECKING:
    from typing import Any

    from tests.cli.conftest import Terminal
    from tests.promotion.desk import Desk

MARKDOWN = MarkdownIt("commonmark").enable("table")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Two versions: the second learnt from more customers, with one candidate less and other code."""
    folder = tmp_path_factory.mktemp("shop")
    engines = MemoryEngines(Workspace(folder / "state"))
    made = Shop(folder, engines)
    made.run()
    engines.code = MadeUpCode(model_training="2")
    fewer = SHOP.model_copy(update={"candidates": SHOP.candidates[:1]})
    made.run(purchases(customers=200), use_case=fewer)
    return made


def comparison(shop: Shop, number: int, other: int | None = None) -> Comparison:
    """One of the shop's versions beside another."""
    versions = {one.number: one for one in shop.engines.registry.versions("shop")}
    standing = standing_of(shop.engines, "shop")
    return Comparison.of(versions[number], standing, [*versions.values()], versions[other] if other else None)


def test_a_version_stands_beside_the_champion_that_the_gate_compared_it_with(shop: Shop) -> None:
    """The champion's figure is the one it has on the same rows, and a gain is for the better."""
    found = comparison(shop, 2)
    assert found.other is not None
    assert (found.subject.version, found.other.version, found.paired) == (2, 1, True)
    assert "both models on the same rows" in found.note
    rows = {row.metric: row for row in found.metrics}
    assert found.decision is not None
    gains = {one.name: one.figures for one in found.decision.checks if "gain" in one.figures}
    assert rows["roc_auc"].gain == gains["champion"]["gain"]
    assert rows["roc_auc"].other == pytest.approx(rows["roc_auc"].value - gains["champion"]["gain"])
    assert rows["brier"].other == pytest.approx(rows["brier"].value + gains["scoring rule"]["gain"])
    assert rows["log_loss"].other is None
    assert [row.metric for row in found.metrics][:2] == ["roc_auc", "brier"]


def test_the_first_version_has_no_champion(shop: Shop) -> None:
    found = comparison(shop, 1)
    assert (found.other, found.paired, found.changes) == (None, False, ())
    assert "no champion" in found.note
    assert {row.other for row in found.metrics} == {None}


def test_versions_that_the_gate_did_not_compare_are_told_apart_from_those_it_did(shop: Shop) -> None:
    """Each with the figure of its own evaluation, and no gain."""
    found = comparison(shop, 1, other=2)
    assert not found.paired
    assert "did not compare these two" in found.note
    theirs = shop.engines.registry.versions("shop")[1].metrics
    assert {row.metric: row.other for row in found.metrics} == {
        row.metric: theirs[row.metric] for row in found.metrics
    }
    assert {row.gain for row in found.metrics} == {None}


def test_what_differs_is_said_part_by_part(shop: Shop) -> None:
    found = comparison(shop, 2)
    assert any(one.startswith("data: purchases is another version") for one in found.changes)
    assert "definitions: candidates.boosting is gone" in found.changes
    assert "code: shop:model_training changed" in found.changes
    assert not any("path" in one for one in found.changes)


def test_failed_checks_come_before_those_that_passed(shop: Shop) -> None:
    bad = Check(name="drift", outcome="failed", sentence="spend moved")
    text = to_markdown(_with_checks(comparison(shop, 2), bad), "shops:SHOP")
    assert text.index("### Failed checks\n\n- **drift:** spend moved") < text.index("Passed: ")
    assert text.index("Passed: ") < text.index("### Metrics")


def test_the_page_says_what_each_is_in_tables(shop: Shop) -> None:
    text = to_markdown(comparison(shop, 2), "shops:SHOP")
    assert text.startswith("## shop version 2: ")
    assert "| metric | version 2 | version 1 | gain, at worst |" in text
    assert re.search(r"^\| digest \| [0-9a-f]{12} \| [0-9a-f]{12} \|$", text, re.MULTILINE)
    assert text.rstrip().endswith("- code: shop:model_training changed")
    alone = to_markdown(comparison(shop, 1), "shops:SHOP")
    assert "| metric | version 1 |" in alone
    assert "What differs" not in alone


@given(st.text(max_size=60) | st.from_regex(r"[@#|<>&`*_\[\](){}!~$\\:/.a-z -]{0,60}", fullmatch=True))
def test_what_others_wrote_is_text_and_nothing_else(text: str) -> None:
    """In a cell of a table, as an independent reader of Markdown shows it."""
    page = f"| a | b |\n| --- | --- |\n| x | {plain(text)} |\n"
    cells = ET.fromstring(MARKDOWN.render(page)).findall("tbody/tr/td")  # noqa: S314 - our own page
    assert len(cells) == 2
    assert list(cells[1]) == []  # no element: no link, no emphasis, no HTML
    assert (cells[1].text or "").replace("\u200b", "") == one_line(text, 400).strip()
    assert not re.search(r"[@#]\w|://|www\.|GH-\d", cells[1].text or "")


def test_a_page_stays_under_what_github_takes_of_a_comment(shop: Shop) -> None:
    """However many checks there are, and whatever they say; the command shows the rest."""
    many = [
        Check(name=f"slice {number} {'&' * 300}", outcome=outcome, sentence="<@&>" * 200)
        for number in range(100)
        for outcome in ("failed", "passed", "not applicable")
    ]
    text = to_markdown(_with_checks(comparison(shop, 2), *many), "shops:SHOP")
    assert len(text) <= LONGEST
    assert "- and " in text
    assert "`mlops models compare shops:SHOP@2 --json`" in text


def _with_checks(found: Comparison, *checks: Check) -> Comparison:
    assert found.decision is not None
    decision = found.decision.model_copy(update={"checks": (*checks, *found.decision.checks)})
    return found.model_copy(update={"decision": decision})


@pytest.mark.live
def test_the_command_shows_a_version_in_three_ways(fresh: Terminal, desk: Desk) -> None:
    desk.delivered(1)
    desk.judged(2, "drift")
    said = fresh("models", "compare", "churn@2")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("churn version 2 beside version 1\n")
    assert said.out.index("failed  drift: drift is too bad") < said.out.index("passed  floor")
    assert fresh("models", "compare", "churn@2", "--markdown").out.startswith("## churn version 2: rejected")
    found = _json(fresh, "churn@2")
    assert (found["verdict"], found["subject"]["version"], found["other"]["version"]) == ("rejected", 2, 1)
    assert _json(fresh, "churn@1", "--with", "staging")["other"]["version"] == 2
    assert _json(fresh, "churn")["other"] is None  # the one in Production, which was the first


@pytest.mark.live
def test_what_cannot_be_compared_is_said_in_a_sentence(fresh: Terminal, desk: Desk) -> None:
    desk.delivered(1)
    desk.judged(2)
    for words, message in (
        (["churn@9"], "churn has no version @9: there are 1 (Production), 2 (Staging)"),
        (["churn@2", "--with", "9"], "churn has no version @9"),
        (["churn@2", "--with", "2"], "--with 2: that is version 2 itself"),
        (["churn", "--with", "production"], "--with production: that is version 1 itself"),
        (["chrun@2"], "did you mean 'churn'?"),
        (["churn@2", "--markdwon"], "did you mean --markdown?"),
        (["churn@2", "--markdown", "--json"], "not allowed with"),
    ):
        said = fresh("models", "compare", *words)
        assert (said.code, said.out) == (2, "")
        assert message in said.err


def _json(terminal: Terminal, *words: str) -> Any:
    return json.loads(terminal("models", "compare", *words, "--json").out)
