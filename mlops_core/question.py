"""What a person is asked to consent to, as Markdown: the forms in the UIs of Prefect and Airflow show it.

Such a form is narrow and its text scrolls: what decides stands first, and what says nothing new last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_core.comparison import compared, intervals_of, metric_rows
from mlops_core.domain.readable import column_of, figure_text, figure_with_interval, gain_text
from mlops_core.places import listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mlops_core.domain.gates import GateDecision
    from mlops_core.domain.registry import ModelVersion
    from mlops_core.domain.standing import Request
    from mlops_core.places import Places

__all__ = ["checks", "question", "subject"]


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
    """Also of a metric that the version was registered without, under another policy."""
    rows = {row.metric: row for row in metric_rows(intervals_of(version), decision)}
    for metric, check in compared(decision).items():
        found, row = check.figures, rows.get(metric)
        gained = f"{gain_text(metric, found['gain'])} better, at worst {gain_text(metric, found['low'])}"
        if row is not None and row.other is not None:
            was = figure_text(metric, row.other, like=row.value)
            gained = f"{figure_text(metric, row.value)}, was {was}: {gained}"
        yield column_of(metric), gained


def _metrics(version: ModelVersion) -> Iterator[tuple[str, str]]:
    for name, one in intervals_of(version).items():
        yield column_of(name), figure_with_interval(name, one)


def _bound(request: Request) -> Iterator[tuple[str, str]]:
    binding = request.what.binding
    for what, digest in [*dict(binding).items(), ("question", binding.digest)]:
        yield what.replace("_", " "), f"`{digest[:12]}`" if digest else "none"
