"""What a person is asked to consent to, as Markdown: the form in Prefect's UI shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from mlops_core.domain.gates import GateDecision
    from mlops_core.domain.registry import ModelVersion
    from mlops_core.domain.standing import Request

__all__ = ["question"]


def question(
    version: ModelVersion, decision: GateDecision, request: Request, home: Path, note: str = ""
) -> str:
    """The question about a version, with all that an answer rests on.

    `home` is the state folder, in which the report lies; `note` says why it is asked again, where it is.
    """
    parts = [
        f"**An answer was not taken:** {note}" if note else "",
        f"## May {version.name} version {version.number} go to Production?",
        _list(_situation(version, decision, request)),
        f"### The gate: {decision.verdict}",
        _list((f"{check.name}, {check.outcome}", check.sentence) for check in decision.checks),
        "### Metrics",
        _list(_metrics(version)),
        "### Report",
        f"`{request.what.report_path}`\n\nin `{home}`",
        "### What the answer is bound to",
        _list(_bound(request)),
        "A change of any of these voids the answer. Digests in full: `mlops approvals --json`.",
    ]
    return "\n\n".join(part for part in parts if part)


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


def _list(lines: Iterable[tuple[str, str]]) -> str:
    """A list and no table: what is long wraps, where the form would cut a table's cells."""
    return "\n".join(f"- **{name}:** {text}" for name, text in lines)
