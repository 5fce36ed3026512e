"""What `--json` prints where it is no model of its own: fields as commands put them together."""

from __future__ import annotations

from typing import Literal, NotRequired

from pydantic import ConfigDict
from typing_extensions import TypedDict  # pydantic wants it before Python 3.12

from mlops_core.domain.gates import Check, GateDecision
from mlops_core.domain.handover import Handover
from mlops_core.domain.ledger import Binding
from mlops_core.domain.traffic import Bounds
from mlops_core.retention import Item, Total

__all__ = [
    "AdoptedFacts",
    "AnswerFacts",
    "ApprovalFacts",
    "AskedFacts",
    "At",
    "CommentFacts",
    "DeedFacts",
    "Definition",
    "DispatchFacts",
    "ExportFacts",
    "FeatureLine",
    "GarbageFacts",
    "GithubApprovalFacts",
    "PredictionFacts",
    "QuestionFacts",
    "RegistryFacts",
    "StatusFacts",
    "TriedFacts",
    "ValuesFacts",
    "WithdrawnFacts",
]


class FeatureLine(TypedDict):
    """A feature; `view`, `source` and `entity` are empty for one on demand. `served`: the model sees it."""

    feature: str
    kind: str
    view: str
    source: str
    entity: str
    looks_at: str
    served: bool


Definition = TypedDict("Definition", {"is": str})
"""A view, feature, source or service as it is defined; its other fields depend on what it is."""
Definition.__pydantic_config__ = ConfigDict(extra="allow")  # type: ignore[attr-defined] # pydantic looks for it


class _Values(TypedDict):
    id: int | str | list[int | str]
    features: dict[str, float | int | str | bool | None] | None


class ValuesFacts(TypedDict):
    """Features by entity, null for one that is unknown, as they stand at the instant `as_of`."""

    as_of: str | None
    entities: list[_Values]


class _Answer(TypedDict):
    kind: Literal["approved", "refused"]
    at: str
    actor: str
    reason: str


class ApprovalFacts(TypedDict):
    """A question to a person and what came of it."""

    status: Literal["waiting", "approved", "refused", "expired"]
    question: str
    asked_at: str
    expires_at: str
    started_by: str
    answer: _Answer | None


class WithdrawnFacts(TypedDict):
    """When, by whom and why a version was rolled back from."""

    at: str
    actor: str
    reason: str


class AskedFacts(TypedDict):
    """A question that waits; `void` says why it no longer holds. `report` is below the state folder."""

    name: str
    version: int
    question: str
    asked_at: str
    expires_at: str
    started_by: str
    report: str
    void: str | None
    binding: Binding
    decision: GateDecision


class DeedFacts(TypedDict):
    """What is in Production now and was before; `release` serves, or `handover` says who was ordered to."""

    name: str
    production: int | None
    previous: int | None
    release: str | None
    handover: Handover | None


class AnswerFacts(TypedDict):
    """An answer in the ledger; `deed` is what was promoted by it, null where nothing was."""

    name: str
    version: int
    digest: str
    question: str
    answer: Literal["approved", "refused"]
    actor: str
    at: str
    expires_at: str
    deed: DeedFacts | None


class _Decision(TypedDict):
    digest: str
    at: str
    verdict: Literal["passed", "rejected"]
    champion: int | None
    checks: list[Check]


class _Consent(TypedDict):
    request: str
    at: str
    actor: str
    reason: str


class _Production(TypedDict):
    version: int
    digest: str
    since: str
    how: str
    actor: str
    reason: str
    waived: list[str]
    decision: _Decision | None
    approval: _Consent | None


class _Served(TypedDict):
    version: int
    release: str
    content: str
    since: str


class At(TypedDict):
    """What was in Production at an instant, and what was served."""

    name: str
    at: str
    production: _Production | None
    served: _Served | None


class TriedFacts(TypedDict):
    """How a trial began, by the ledger."""

    version: int
    at: str
    actor: str
    reason: str
    percent: int
    shadow: bool
    bounds: Bounds


class RegistryFacts(TypedDict):
    """What is astray in registry and target, whether it was repaired, and what is lost."""

    astray: list[str]
    repaired: bool
    lost: list[str]
    error: str | None


class AdoptedFacts(TypedDict):
    """Versions by their stage, with which a ledger begins."""

    stages: dict[int, str]
    production: int | None


class GarbageFacts(TypedDict):
    """What nothing refers to, or what was removed of it; sizes in bytes, ages in seconds."""

    removed: bool
    items: list[Item]
    in_use_again: list[Item]
    totals: dict[str, Total]
    size: int


class PredictionFacts(TypedDict):
    """A classifier's `probability` and `label`, or the `prediction` of a number."""

    id: int | str | list[int | str]
    probability: NotRequired[float]
    label: NotRequired[bool]
    prediction: NotRequired[float]
    version: int
    features_as_of: str


class QuestionFacts(TypedDict):
    """A question as an orchestrator puts it: a line, and Markdown."""

    subject: str
    body: str
    question: str
    name: str
    version: int
    expires_at: str


class DispatchFacts(TypedDict):
    """What became of an order to deliver a version."""

    name: str
    version: int
    digest: str
    to: str
    state: Literal["queued", "in progress", "delivered"]
    url: str


class GithubApprovalFacts(TypedDict):
    """How a person's answer stands, and why in a sentence."""

    name: str
    version: int
    approval: Literal["not wanted", "waiting", "approved", "refused", "expired"]
    why: str


class StatusFacts(TypedDict):
    """What a deployment of GitHub was told."""

    deployment: int
    state: str


class CommentFacts(TypedDict):
    """Where a comment stands."""

    pull: int
    url: str


class _File(TypedDict):
    path: str
    state: Literal["written", "replaced", "unchanged", "kept"]
    needs: str | None


class ExportFacts(TypedDict):
    """Files, or the text where there is no folder for it; a file that was kept `needs` this text."""

    text: str | None
    files: list[_File]
