"""The tree in the terminal: everything once, at most a hundred columns, nothing that steers a terminal."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from mlops_core.commands.lineage_tree import tree_of
from mlops_core.descent import descent_of, descent_with_events, descent_with_history, descent_with_target
from mlops_core.domain.descent import Descent, Node
from mlops_core.domain.digest import digest_of
from mlops_core.evidence import consent_of
from mlops_core.promotion.grounds import Grounds
from tests.descent.cases import (
    SOURCES,
    decision_on,
    history_version,
    long_life,
    version_before_there_was_much,
    version_of,
)


def lived() -> Descent:
    """A descent with everything that can be in one."""
    version = version_of(SOURCES, features=12)
    standing = long_life(version)
    grounds = Grounds.of(standing, version.number)
    descent = descent_of(version, grounds.decision, consent_of(grounds.request))
    descent = descent_with_events(
        descent_with_history(descent, standing), {"calls": history_version("calls")}
    )
    return descent_with_target(descent, digest_of("second"), version.number)


def test_everything_is_told_once_within_a_hundred_columns() -> None:
    """Names are cut where the line would be longer, digests to twelve digits."""
    descent = lived()
    lines = tree_of(descent)
    assert max(map(len, lines)) <= 100
    for node in descent.nodes:
        titles = [line for line in lines if f"{node.kind}: " in line and (node.digest or "")[:12] in line]
        assert titles, node
    assert sum(": " in line.partition("─ ")[2] for line in lines if "─ " in line) == len(descent.nodes)
    said = " ".join(" ".join(line.strip(" │└├─┌") for line in lines).split())
    for words in (
        "waived drift, one_order",
        "rolled back to version 1 by ben",
        "until now · target serves it",
    ):
        assert words in said


def test_the_tree_of_a_version_that_little_is_known_of() -> None:
    """The whole text: one branch, no facts that were not noted."""
    version = version_before_there_was_much()
    decision = decision_on(version, champion=None)
    assert "\n".join(tree_of(descent_of(version, decision, None))) == (
        f"┌─ events: purchases  {version.lineage.data['purchases'][:12]}\n"
        f"└─ features: churn  {version.lineage.definitions[:12]}\n"
        f"   │  features 4\n"
        f"   └─ training set: churn  {version.lineage.training_set[:12]}\n"
        f"      │  as of 2026-03-01 · rows fitted 259,868\n"
        f"      └─ run: {version.run_id}\n"
        f"         │  candidate boosting · code {version.lineage.code[:12]}\n"
        f"         └─ version: churn 2  {version.digest[:12]}  2026-03-01 09:00:00\n"
        f"            └─ decision: passed  {decision.digest[:12]}\n"
        f"                  against no champion · checks 1 passed · policy {digest_of(decision.policy)[:12]}"
    )


@given(st.lists(st.tuples(st.text(), st.text(), st.text()), min_size=1, max_size=5))
def test_odd_texts_stay_in_their_lines(texts: list[tuple[str, str, str]]) -> None:
    """Whatever somebody wrote: no line break, no control character, and each node has its one title."""
    nodes = tuple(
        Node(id=str(place), kind="promotion", name=name, digest=digest, facts=(("why", why),))
        for place, (name, digest, why) in enumerate(texts)
    )
    edges = tuple((str(place), str(place + 1)) for place in range(len(nodes) - 1))
    lines = tree_of(Descent(model="churn", version=1, nodes=nodes, edges=edges))
    assert all(line.isprintable() for line in lines)
    titles = [line for line in lines if re.match("[│ ]*[┌├└]─ promotion: ", line)]
    assert len(titles) == len(nodes)
