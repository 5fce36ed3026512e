"""Evidence packs as one HTML file, in the order of a reader's questions.

What is it and may it serve; how good, and how good beside the champion; every check; what moved; what it was
made from; who consented; by which policy; and how all of that can be checked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from mlops_core.adapters.reporter.descent import draw_descent
from mlops_core.adapters.reporter.drift_bars import SHOWN, drift_bars
from mlops_core.adapters.reporter.evidence_tables import (
    check_groups,
    choice_table,
    digest_rows,
    instant,
    measured_rows,
    slice_rows,
)
from mlops_core.adapters.reporter.forest import panels
from mlops_core.adapters.reporter.pages import page
from mlops_core.adapters.reporter.policy_words import floor_words, policy_words
from mlops_core.domain.metrics import task_of
from mlops_core.domain.readable import title_of

if TYPE_CHECKING:
    from mlops_core.domain.evidence import Evidence, Verdict
    from mlops_core.domain.figures import Figures
    from mlops_core.domain.gates import Check

__all__ = ["render_evidence"]

_COLOURS: dict[Verdict, str] = {
    "may serve": "good",
    "may serve, by a waiver": "warning",
    "awaits approval": "warning",
    "must not serve": "bad",
    "not judged": "warning",
}
_PSI = "psi "  # what the drift check's figures begin with


def render_evidence(evidence: Evidence, figures: Figures) -> str:
    """The page. Drawings of `figures` are trusted: they are of the reporter's own making, by their digest."""
    decision = evidence.decision
    drawn = sorted(figures.figures, key=lambda figure: figure.title != "Calibration")  # what is asked first
    names, choice = choice_table(evidence)
    return page(
        "evidence.html.j2",
        evidence=evidence,
        decision=decision,
        policy=policy_words(decision.policy) if decision else [],
        colour=_COLOURS[evidence.verdict],
        notices=_notices(evidence),
        measured=measured_rows(evidence),
        task=task_of(evidence.threshold),
        comparisons=panels(evidence),
        dotted=any(check.figures.get("smallest_effect") for check in decision.checks) if decision else False,
        metric=title_of(decision.policy.metric) if decision else "",
        checks=check_groups(evidence),
        alone={check.name: check for check in decision.checks} if decision else {},
        slices=slice_rows(evidence),
        drift=_drift(evidence),
        figures=[(one.title, Markup(one.svg), one.caption) for one in drawn],  # noqa: S704 - see above
        candidates=names,
        choice=choice,
        descent=Markup(draw_descent(evidence.descent)),  # noqa: S704 - drawn by us, its texts escaped
        made_from=_made_from(evidence),
        digests=digest_rows(evidence),
        instant=instant,
    )


def _notices(evidence: Evidence) -> list[tuple[str, str, list[str]]]:
    """What nobody may overlook: a colour, a heading and sentences each."""
    decision, found = evidence.decision, []
    if decision is None:
        said = "No check was made, no policy applied and no champion compared with."
        return [("warning", "There is no decision", [said])]
    sentences = {check.name: check.sentence for check in decision.checks}
    if evidence.outstanding:
        failed = [f"{name}: {sentences[name]}." for name in evidence.outstanding]
        found.append(("bad", "Failed, and passed over by nobody", failed))
    if evidence.waived:
        waived = [f"{name}: {sentences.get(name, 'no such check')}." for name in evidence.waived]
        who = f"Who waived it and why is in the ledger: mlops history {evidence.name}."
        found.append(("warning", "Waived: failed, and passed over by a person", [*waived, who]))
    if decision.policy.approval is not None and evidence.approval is None:
        said = "The policy asks for a person's consent, and there was none when this was written."
        found.append(("warning", "Not approved", [said]))
    if decision.policy.replaced_floor is not None:
        said = floor_words(decision.policy)
        found.append(("warning", "Another floor than the definitions have", [said]))
    return found


def _drift(evidence: Evidence) -> tuple[Markup, str] | None:
    """The bars and a sentence on what is not among them; None when nothing was compared."""
    decision = evidence.decision
    check = _named("drift", evidence)
    if decision is None or check is None:
        return None
    indices = {name.removeprefix(_PSI): value for name, value in check.figures.items() if _PSI in name}
    if not indices:
        return None
    expected = decision.policy.expected_drift
    rest = len(indices) - SHOWN
    notes = ["0.1 is commonly read as a small shift, 0.25 as a large one."]
    if set(expected) & indices.keys():
        notes.append("Pale bars and * are features that the policy expects to move: the limit is not theirs.")
    if rest > 0:
        notes.append(f"The {rest} that moved least are not shown.")
    return drift_bars(indices, check.figures.get("limit"), expected), " ".join(notes)


def _named(name: str, evidence: Evidence) -> Check | None:
    checks = evidence.decision.checks if evidence.decision else ()
    return next((check for check in checks if check.name == name), None)


def _made_from(evidence: Evidence) -> list[tuple[str, str]]:
    lineage = evidence.lineage
    known = f", as it was known at {instant(lineage.as_known_at)}" if lineage.as_known_at else ""
    libraries = ", ".join(f"{name} {version}" for name, version in sorted(lineage.libraries.items()))
    environment = "; ".join(f"{name}: {value}" for name, value in sorted(lineage.environment.items()))
    return [
        ("Use case", lineage.use_case),
        ("Data", f"as of {lineage.as_of:%Y-%m-%d}{known}"),
        ("Features", ", ".join(evidence.feature_names)),
        ("Run", evidence.run_id),
        ("Registered", instant(evidence.registered_at)),
        ("Git commit", lineage.git_commit or "not known"),
        ("Libraries", libraries or "not known"),
        ("Environment", environment or "not known"),
    ]
