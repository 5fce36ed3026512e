"""The evidence page: stands alone, answers in a reader's order, is loud about what was passed over."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

from mlops_core.adapters.reporter.evidence import render_evidence
from mlops_core.adapters.reporter.forest import panels
from mlops_core.adapters.reporter.html import HtmlReporter
from mlops_core.domain.figures import Figure, Figures
from mlops_core.domain.gates import NonInferiority
from tests.evidence.packs import ASKING, CONSENT, POLICY, check, decision, pack
from tests.reporter.test_html_report import SVG, Page

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_core.domain.evidence import Evidence

CALIBRATION = Figure(title="Calibration", svg="<svg id='c'></svg>", caption="Ten bins.")
ROC = Figure(title="Ranking (ROC)", svg="<svg id='r'></svg>", caption="A curve.")


def text_of(evidence: Evidence, *figures: Figure) -> str:
    """What a reader sees, the style sheet aside."""
    page = render_evidence(evidence, Figures(figures=figures))
    return " ".join(Page(re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)).text.split())


def test_a_pack_needs_nothing_from_elsewhere() -> None:
    """No script, no link, no address; it even forbids the browser to fetch anything."""
    page = render_evidence(pack(decision=decision("drift"), approval=CONSENT), Figures(figures=(ROC,)))
    parsed = Page(page)
    assert not {tag for tag, _ in parsed.tags} & {"script", "link", "img", "iframe", "object", "use", "image"}
    assert not {name for _, attributes in parsed.tags for name in attributes} & {"src", "href", "style"}
    assert not [word for word in ("://", "@import", "url(") if word in page]
    assert "default-src 'none'" in page


def test_equal_evidence_gives_equal_bytes(tmp_path: Path) -> None:
    for name in ("one.html", "two.html"):
        HtmlReporter().write_evidence(pack(), Figures(figures=(ROC,)), tmp_path / name)
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()


def test_drawings_are_well_formed_and_described() -> None:
    """Those in rows of a table are hidden from whoever has the page read out: figures stand beside them."""
    page = render_evidence(pack(), Figures())
    for text in SVG.findall(page):
        drawing = ElementTree.fromstring(text)  # noqa: S314 - our own text
        title = drawing.find("title")
        assert drawing.get("aria-hidden") == "true" or (title is not None and title.text)
    ids = Counter(attributes["id"] for _, attributes in Page(page).tags if "id" in attributes)
    assert set(ids.values()) == {1}
    assert "nan" not in page


@pytest.mark.parametrize(
    ("evidence", "verdict", "sentence"),
    [
        (
            pack(decision=decision(policy=ASKING), approval=CONSENT),
            "may serve",
            "churn version 3, logistic, passed the gate against version 2; approved by ana on 2026-11-22.",
        ),
        (pack(), "may serve", "against version 2; its policy asks for no person's approval."),
        (
            pack(decision=decision(champion=None, champion_digest=None)),
            "may serve",
            "churn version 3, logistic, passed the gate, with no version in Production to compare it with;",
        ),
        (
            pack(decision=decision(policy=ASKING)),
            "awaits approval",
            "it may serve once a person approves it.",
        ),
        (
            pack(decision=decision("drift", "latency"), waived=("drift",)),
            "must not serve",
            "churn version 3, logistic, was rejected by the gate against version 2, failing latency.",
        ),
        (
            pack(decision=decision("floor", "drift", "latency"), waived=("floor", "drift", "latency")),
            "may serve, by a waiver",
            "failed floor, drift and latency at the gate against version 2, which a person waived by name;",
        ),
        (pack(decision=None), "not judged", "No gate has judged churn version 3, logistic: if it serves,"),
    ],
)
def test_the_verdict_comes_first_and_in_a_sentence(evidence: Evidence, verdict: str, sentence: str) -> None:
    assert evidence.verdict == verdict
    assert sentence in evidence.sentence
    assert f"Evidence pack churn version 3 {verdict} {evidence.sentence}" in text_of(evidence)


def test_what_was_passed_over_stands_above_all_figures() -> None:
    text = text_of(pack(decision=decision("drift"), waived=("drift",)))
    above, _ = text.split("How good is it?")
    assert "Waived: failed, and passed over by a person drift: what drift says." in above
    assert "mlops history churn" in above
    assert "✗ failed 1 drift waived what drift says" in text


def test_what_failed_what_is_missing_and_what_was_replaced_is_said() -> None:
    replaced = ASKING.model_copy(update={"floor": 0.6, "replaced_floor": 0.75})
    above, _ = text_of(pack(decision=decision("drift", policy=replaced))).split("How good is it?")
    assert "Failed, and passed over by nobody drift: what drift says." in above
    assert "Not approved The policy asks for a person's consent" in above
    assert "The definitions ask for a floor of 0.75; the run was told 0.6 in its place." in above


def test_metrics_stand_beside_limit_and_no_skill() -> None:
    text = text_of(pack())
    assert "ROC AUC\N{NO-BREAK SPACE}↑".replace("\N{NO-BREAK SPACE}", " ") in text
    assert "0.8414 0.8334 to 0.8489 floor 0.75, no skill 0.5000" in text
    assert "0.0886 0.0863 to 0.0911 at most 0.15, no skill 0.1205" in text


def test_a_comparison_is_drawn_with_its_bound_and_limit() -> None:
    """One panel a metric, since gains in different units share no axis; a failed row is another colour."""
    ranking, rule = panels(pack(decision=decision("scoring rule")))
    assert (ranking.title, rule.title) == ("ROC AUC", "Brier score")
    assert (ranking.svg.count('class="dot chosen"'), ranking.svg.count('class="dot failed"')) == (2, 0)
    assert (rule.svg.count('class="dot chosen"'), rule.svg.count('class="dot failed"')) == (0, 1)
    assert (ranking.svg.count('class="least"'), rule.svg.count('class="least"')) == (1, 0)
    assert "all rows +0.0037, at worst +0.0023; active +0.0048, at worst -0.0104" in ranking.svg
    (zero,) = re.findall(r'class="zero" d="M([\d.]+)', rule.svg)
    (limit,) = re.findall(r'class="limit" d="M([\d.]+)', rule.svg)
    ((low, gain),) = re.findall(r'class="reach failed" d="M([\d.]+) [\d.]+H([\d.]+)', rule.svg)
    assert float(low) < float(limit) < float(gain) < float(zero)
    unit = (float(zero) - float(limit)) / 0.002
    assert float(gain) == pytest.approx(float(zero) - 0.0011 * unit, abs=0.2)
    assert float(low) == pytest.approx(float(zero) - 0.0042 * unit, abs=0.2)


def test_a_gain_of_nothing_is_drawn() -> None:
    """Two models that predict the same."""
    same = check("champion", gain=0.0, low=0.0, smallest_effect=0.0)
    (panel,) = panels(pack(decision=decision(checks=(same,))))
    assert "nan" not in panel.svg


def test_a_champion_that_could_not_be_compared_with_says_why() -> None:
    text = text_of(pack(decision=decision("champion", checks=(check("champion"),))))
    assert "It could not be compared with version 2: what champion says." in text


def test_drift_tells_what_was_expected_from_what_is_too_much() -> None:
    page = render_evidence(pack(decision=decision("drift")), Figures())
    (drawing,) = [text for text in SVG.findall(page) if "drift-alt" in text]
    assert drawing.count('class="bar over"') == 1
    assert drawing.count('class="bar expected"') == 1
    assert re.findall(r'class="end"[^>]*>(\w+)<', drawing) == ["tenure_days", "orders", "spend"]
    assert "limit 0.25" in drawing


def test_many_features_are_bounded() -> None:
    moved = {f"psi feature_{number}": number / 1000 for number in range(60)}
    text = text_of(pack(decision=decision(checks=(check("drift", limit=0.25, **moved),))))
    assert "feature_59" in text
    assert "feature_30" not in text
    assert "The 35 that moved least are not shown." in text


def test_calibration_is_shown_before_other_figures() -> None:
    text = text_of(pack(), ROC, CALIBRATION)
    assert text.index("Calibration Ten bins.") < text.index("Ranking (ROC) A curve.")


def test_the_approval_says_who_when_why_and_of_what() -> None:
    text = text_of(pack(decision=decision(policy=ASKING), approval=CONSENT))
    assert "Approved by ana, 2026-11-22 18:00:00 UTC Reason better for one-time buyers" in text
    assert "Asked 2026-11-21 09:30:00 UTC, by the run that ci started" in text
    assert f"Question {CONSENT.request}" in text
    assert "a person must consent within 7 days, another than the one who started the run" in text


def test_the_policy_is_told_in_words_and_numbers() -> None:
    policy = POLICY.model_copy(
        update={
            "comparison": NonInferiority(margin=0.01),
            "scoring_rule": None,
            "drift": None,
            "size_mb": None,
        }
    )
    text = text_of(pack(decision=decision(policy=policy)))
    assert "the worse end of the 95% interval of ROC AUC must reach 0.75" in text
    assert "Champion ROC AUC on the same rows not worse by 0.01 or more, with 95% confidence" in text
    assert "Slice active where recency_days < 90: ROC AUC not worse by 0.02 or more" in text
    assert "Scoring rule none" in text
    assert "Drift not asked" in text
    assert "Size not asked" in text


def test_every_digest_and_file_can_be_checked() -> None:
    """Files stand as `sha256sum -c` reads them."""
    evidence = pack()
    page = render_evidence(evidence, Figures())
    (lines,) = re.findall(r'<pre class="digest">\n(.*?)</pre>', page, re.DOTALL)
    assert lines.splitlines() == [f"{digest}  {path}" for path, digest in sorted(evidence.files.items())]
    for digest in (*filter(None, vars(evidence.digests).values()), *evidence.lineage.data.values()):
        assert digest in page


def test_what_others_registered_makes_a_page() -> None:
    """No evaluation, no figures, no decision, no libraries."""
    lineage = pack().lineage.model_copy(update={"libraries": {}, "environment": {}, "git_commit": None})
    bare = pack(
        rows=None, positives=None, metrics={}, validation={}, decision=None, files={}, lineage=lineage
    )
    text = text_of(bare)
    assert "No evaluation was registered with this version." in text
    assert "The gate was not asked." in text
    assert "Git commit not known" in text


def test_rows_of_one_class_have_no_figure_without_skill() -> None:
    assert "no skill 0" not in text_of(pack(positives=23570))


def test_texts_of_people_are_never_markup() -> None:
    nasty = "<script>alert('1')</script>\"&"
    consent = CONSENT.model_copy(update={"reason": nasty, "approved_by": nasty})
    page = render_evidence(pack(candidate=nasty, approval=consent), Figures())
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 4
