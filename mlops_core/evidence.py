"""The evidence that goes with a release: of the version, what was registered with it and the ledger.

::

    documents/report.html, evaluation.json, figures.json     registered with the model
    documents/decision.json, policy.json                     what the release is made by
    documents/evidence.html, evidence.json                   all of it, for people and for programs

They lie beside the model's files in the release, and are refused like those when a byte differs. The same
decision gives the same bytes, so that a release can be made again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from mlops_core.descent import descent_of
from mlops_core.domain.digest import digest_of, file_digests
from mlops_core.domain.evidence import Consent, Digests, Evidence
from mlops_core.domain.figures import Figures
from mlops_core.domain.ledger import Approved
from mlops_core.domain.receipts import EvaluationReceipt
from mlops_core.domain.value import Value
from mlops_core.errors import IntegrityError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mlops_core.domain.gates import GateDecision
    from mlops_core.domain.registry import ModelVersion
    from mlops_core.domain.standing import Request
    from mlops_core.ports import Reporter

__all__ = [
    "DOCUMENTS",
    "EVIDENCE_PAGE",
    "EVIDENCE_TWIN",
    "WRITTEN",
    "consent_of",
    "evidence_of",
    "write_documents",
]

DOCUMENTS = "documents"
EVIDENCE_PAGE = "evidence.html"
EVIDENCE_TWIN = "evidence.json"

WRITTEN = frozenset(
    f"{DOCUMENTS}/{name}" for name in ("decision.json", "policy.json", EVIDENCE_PAGE, EVIDENCE_TWIN)
)
"""What `write_documents` adds: another version of this software may write and draw it otherwise."""

V = TypeVar("V", bound=Value)


def write_documents(
    reporter: Reporter,
    folder: Path,
    version: ModelVersion,
    decision: GateDecision | None,
    consent: Consent | None,
    waived: Sequence[str] = (),
) -> None:
    """Add to a fetched model's `documents/` what the release is made by, and the evidence of all.

    Raises `IntegrityError` for a document that cannot be read, or a report that is not that of the lineage.
    """
    documents = folder / DOCUMENTS
    documents.mkdir(exist_ok=True)
    if decision is not None:
        (documents / "decision.json").write_text(decision.model_dump_json(indent=1))
        (documents / "policy.json").write_text(decision.policy.model_dump_json(indent=1))
    evidence = evidence_of(folder, version, decision, consent, waived)
    figures = _read(documents / "figures.json", Figures) or Figures()
    reporter.write_evidence(evidence, figures, documents / EVIDENCE_PAGE)
    (documents / EVIDENCE_TWIN).write_text(evidence.model_dump_json(indent=1))


def evidence_of(
    folder: Path,
    version: ModelVersion,
    decision: GateDecision | None,
    consent: Consent | None,
    waived: Sequence[str] = (),
) -> Evidence:
    """The evidence for a version whose files and documents lie in `folder`."""
    files = file_digests(folder)
    report = files.get(f"{DOCUMENTS}/report.html")
    lineage = version.lineage
    if lineage.report is not None and report != lineage.report:
        raise IntegrityError(
            f"the report of {version.name} version {version.number} is not the one that it was registered "
            f"with: its digest is {(report or 'none')[:12]}, in the lineage {lineage.report[:12]}. Register "
            f"the version again: `mlops run {version.name}`"
        )
    measured = _read(folder / DOCUMENTS / "evaluation.json", EvaluationReceipt)
    return Evidence(
        name=version.name,
        version=version.number,
        candidate=version.candidate,
        threshold=version.threshold,
        run_id=version.run_id,
        registered_at=version.created_at,
        feature_names=version.feature_names,
        rows=measured.rows if measured else None,
        positives=measured.positives if measured else None,
        metrics=measured.metrics if measured else {},
        validation=measured.validation if measured else {},
        decision=decision,
        waived=tuple(waived),
        approval=consent,
        lineage=lineage,
        descent=descent_of(version, decision, consent),
        digests=_digests(version, decision, report),
        files=files,
    )


def consent_of(request: Request | None) -> Consent | None:
    """A question and its answer, when a person approved it."""
    by = request.answered if request else None
    if request is None or by is None or not isinstance(by.event, Approved):
        return None
    return Consent(
        request=request.digest,
        asked_by=request.asked.actor,
        asked_at=request.asked.at,
        expires_at=request.what.expires_at,
        approved_by=by.actor,
        approved_at=by.at,
        reason=by.reason,
    )


def _digests(version: ModelVersion, decision: GateDecision | None, report: str | None) -> Digests:
    return Digests(
        model=version.digest,
        fitted_state=version.lineage.model,
        training_set=version.lineage.training_set,
        definitions=version.lineage.definitions,
        code=version.lineage.code,
        policy=digest_of(decision.policy) if decision else None,
        decision=decision.digest if decision else None,
        report=report,
    )


def _read(path: Path, kind: type[V]) -> V | None:
    try:
        return kind.model_validate_json(path.read_bytes())
    except FileNotFoundError:  # registered by others, or before there were documents
        return None
    except ValidationError as error:
        raise IntegrityError(f"{path} cannot be read: register the version again") from error
