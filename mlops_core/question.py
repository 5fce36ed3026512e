"""What a person is asked to consent to, as Markdown: the forms in the UIs of Prefect and Airflow show it.

Such a form is narrow and its text scrolls: what decides stands first, and what says nothing new last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_core.domain.metrics import greater_is_better
from mlops_core.places import listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mlops_core.domain.gates import Check, GateDecision
    from mlops_core.domain.registry import ModelVersion
    from mlops_core.domain.standing import Request
    from mlops_core.places import Places

__all__ = ["checks", "compared", "question", "subject"]


def question(
    version: ModelVersion, decision: GateDecision, request: Request, places: Places, note: str = ""
) -> str:
    """The question about a version, with all that an answer rests on.

    `places` are where to look further; `note` says why it is asked again, where it is.
    """
    parts = [
        f"**An answer was not taken:** {note}" if note else "",
        f"## {subject(version)}",
        listed(list(_situation(version, decision, request))),
        *_section(f"### Against version {decision.champion}, on the same rows", _gains(version, decision)),
        f"### The gate: {decision.verdict}",
        listed(list(checks(decision))),
        "### Metrics",
        listed(list(_metrics(version))),
        "### Evidence",
        listed([places.report(request.what.report_path), places.evidence(None), *places.further()]),
        "### What the answer is bound to",
        listed(list(_bound(request))),
        "A change of any of these voids the answer. Digests in full: `mlops approvals --json`.",
    ]
    return "\n\n".join(part for part in parts if part)


def subject(version: ModelVersion) -> str:
    """The question in one line."""
    return f"May {version.name} version {version.number} go to Production?"


def compared(decision: GateDecision) -> dict[str, Check]:
    """The gate's comparisons with the champion on all rows, by metric; a gain is always for the better."""
    names = {"champion": decision.policy.metric, "scoring rule": decision.policy.scoring_rule}
    return {
        metric: check
        for check in decision.checks
        if (metric := names.get(check.name)) is not None and {"gain", "low"} <= check.figures.keys()
    }


def checks(decision: GateDecision) -> Iterator[tuple[str, str]]:
    """What failed first, slices and all; what did not apply in one line at the end."""
    for outcome in ("failed", "passed"):
        for check in decision.checks:
            if check.outcome == outcome:
                yield f"{check.name}, {check.outcome}", check.sentence
    rest = [check.name for check in decision.checks if check.outcome == "not applicable"]
    if rest:
        yield "not applicable", f"{', '.join(rest)}; the evidence says why"


def _section(heading: str, lines: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Nothing where it would be empty."""
    text = listed(list(lines))
    return (heading, text) if text else ()


def _situation(version: ModelVersion, decision: GateDecision, request: Request) -> Iterable[tuple[str, str]]:
    replaced = f"version {decision.champion}" if decision.champion else "nothing: it would be the first"
    who = ", ".join(request.what.terms.approvers) or "anyone"
    if request.what.terms.by_another:
        who += f", but not {request.asked.actor}, who started the run"
    return [
        ("replaces", replaced),
        ("model", f"{version.candidate}, on data as of {version.lineage.as_of:%Y-%m-%d}"),
        ("asked", f"{request.asked.at:%Y-%m-%d %H:%M} UTC, by the run of {request.asked.actor}"),
        ("until", f"{request.what.expires_at:%Y-%m-%d %H:%M} UTC"),
        ("may answer", who),
    ]


def _gains(version: ModelVersion, decision: GateDecision) -> Iterator[tuple[str, str]]:
    for metric, check in compared(decision).items():
        found, value = check.figures, version.metrics.get(metric)
        gained = f"{found['gain']:+.4f} better, at worst {found['low']:+.4f}"
        if value is not None:
            rival = value - found["gain"] * (1 if greater_is_better(metric) else -1)
            gained = f"{value:.4f}, was {rival:.4f}: {gained}"
        yield metric, gained


def _metrics(version: ModelVersion) -> Iterator[tuple[str, str]]:
    """Each of the evaluation with its interval; a registered version also has others without."""
    for name, value in version.metrics.items():
        low, high = version.metrics.get(f"{name}_low"), version.metrics.get(f"{name}_high")
        if low is not None and high is not None:
            yield name, f"{value:.4f} ({low:.4f} to {high:.4f})"


def _bound(request: Request) -> Iterator[tuple[str, str]]:
    binding = request.what.binding
    for what, digest in [*dict(binding).items(), ("question", binding.digest)]:
        yield what.replace("_", " "), f"`{digest[:12]}`" if digest else "none"
