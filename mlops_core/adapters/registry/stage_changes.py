"""What a registry has to change to show what the ledger says, computed from the two and nothing else.

==========================  ==============================================================
alias `production`          the version in Production
alias `staging`             the newest version in Staging
alias `archived`            the one that left Production last, of those that are Archived
tag `stage`                 Staging, Production or Archived
`mlops.decision`            JSON of the gate's newest decision (its digest, when it is too large)
`verdict`, `reasons`        the same, for people
`approval`                  a person's answer, or until when it is waited for
`mlops.ledger`              (of the name) the origin of the ledger that is followed
==========================  ==============================================================

The changes are what the shelf lacks, so a registry in which only some were made gives the others. They are in
the order in which their absence hurts: the ledger's name first, which keeps other ledgers out, then the alias
`production`, which callers go by. A version that the ledger does not know, or knows under another digest,
counts as one in Staging: it was registered a moment ago, or in another registry.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from mlops_core.adapters.registry.changes import AliasMoved, Discarded, Finished, LedgerNamed, Tagged
from mlops_core.adapters.registry.shelf import STAGE
from mlops_core.adapters.registry.submission_tags import MOST_BYTES
from mlops_core.domain.ledger import Adopted, Approved, Archived
from mlops_core.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_core.adapters.registry.changes import AnyChange
    from mlops_core.adapters.registry.shelf import Record, Shelf
    from mlops_core.domain.gates import GateDecision
    from mlops_core.domain.ledger import Entry
    from mlops_core.domain.registry import Stage
    from mlops_core.domain.standing import Request, Standing

__all__ = ["check_origin", "finishing", "following", "unlike"]

PRODUCTION, STAGING, ARCHIVED = "production", "staging", "archived"
DECISION, VERDICT, REASONS, APPROVAL = "mlops.decision", "verdict", "reasons", "approval"


def check_origin(shelf: Shelf, standing: Standing) -> None:
    """Raise `BadInput` when the registry follows another ledger than this one."""
    if shelf.ledger is None or shelf.ledger == standing.origin:
        return
    ours = f"is {standing.origin[:12]}" if standing.origin else "has no entries"
    raise BadInput(
        f"the registry of {shelf.name!r} follows the ledger {shelf.ledger[:12]}, and the one given here "
        f"{ours}: set MLOPS_LEDGER to the ledger that this registry follows, or, when that one is lost, "
        f"begin a new one with `mlops registry verify {shelf.name} --adopt --reason …`."
    )


def unlike(shelf: Shelf, standing: Standing) -> list[str]:
    """What `ModelRegistry.differences` says."""
    if standing.origin is None and shelf.ledger is not None:
        return [f"the registry follows the ledger {shelf.ledger[:12]}, this one has no entries"]
    return [change.sentence for change in following(shelf, standing)]


def finishing(shelf: Shelf) -> list[AnyChange]:
    """Changes that end registrations which were interrupted after their version was made."""
    changes: list[AnyChange] = [
        Discarded(
            number=record.number,
            run_id=record.run_id,
            sentence=f"version {record.number} is what a registration left that another one outran",
        )
        for record in shelf.surplus
    ]
    for record in shelf.records:
        if not record.is_finished:
            changes += _finishing(record, "Staging")
    return changes


def following(shelf: Shelf, standing: Standing) -> list[AnyChange]:
    """Changes that make the registry show the standing; none while the ledger is empty."""
    if standing.origin is None or not shelf.records:
        return []
    changes = [*_ledger(shelf, standing), *_aliases(shelf, standing, (PRODUCTION,))]
    changes += [change for change in finishing(shelf) if isinstance(change, Discarded)]
    for record in shelf.records:
        if not record.is_finished:
            changes += _finishing(record, _stage(record, standing))
        changes += _tags(record, standing)
    return [*changes, *_aliases(shelf, standing, (ARCHIVED, STAGING))]


def _ledger(shelf: Shelf, standing: Standing) -> list[AnyChange]:
    origin = standing.origin
    if origin is None or shelf.ledger == origin:
        return []
    followed = f"the ledger {shelf.ledger[:12]}" if shelf.ledger else "no ledger"
    sentence = f"the registry follows {followed}, this one is {origin[:12]}"
    return [LedgerNamed(origin=origin, sentence=sentence)]


def _aliases(shelf: Shelf, standing: Standing, names: tuple[str, ...]) -> list[AnyChange]:
    wanted = _wanted_aliases(shelf, standing)
    changes: list[AnyChange] = []
    for alias in names:
        shown, number = shelf.aliases.get(alias), wanted[alias]
        if shown == number:
            continue
        what = f"points at version {shown}" if shown else "is missing"
        meant = f"it is version {number}" if number else "no version has it"
        sentence = f"alias {alias} {what}, by the ledger {meant}"
        changes.append(AliasMoved(alias=alias, number=number, sentence=sentence))
    return changes


def _wanted_aliases(shelf: Shelf, standing: Standing) -> dict[str, int | None]:
    stages = {record.number: _stage(record, standing) for record in shelf.records}
    staging = [number for number, stage in stages.items() if stage == "Staging"]
    left = [entry.version for entry in standing.entries if _leaves(entry)]
    archived = [number for number in left if stages.get(number) == "Archived"]
    production = [number for number, stage in stages.items() if stage == "Production"]
    return {
        PRODUCTION: next(iter(production), None),
        STAGING: max(staging, default=None),
        ARCHIVED: archived[-1] if archived else None,
    }


def _leaves(entry: Entry) -> bool:
    event = entry.event
    return isinstance(event, Archived) or (isinstance(event, Adopted) and event.stage == "Archived")


def _stage(record: Record, standing: Standing) -> Stage:
    return standing.stages.get(record.number, "Staging") if _knows(standing, record) else "Staging"


def _knows(standing: Standing, record: Record) -> bool:
    return standing.models.get(record.number) == record.digest


def _finishing(record: Record, stage: Stage) -> list[AnyChange]:
    """The tag comes last: it says that the rest was done."""
    number = record.number
    return [
        Finished(number=number, run_id=record.run_id, sentence=f"version {number} has a run to be ended"),
        Tagged(
            number=number,
            tag=STAGE,
            value=stage,
            sentence=f"version {number} is not tagged with a stage, by the ledger it is {stage}",
        ),
    ]


def _tags(record: Record, standing: Standing) -> list[AnyChange]:
    changes: list[AnyChange] = []
    for tag, value in _wanted_tags(record, standing).items():
        shown = record.tags.get(tag)
        if shown != value and not (tag == STAGE and shown is None):  # that is `_finishing`'s
            sentence = _sentence(record.number, tag, shown, value)
            changes.append(Tagged(number=record.number, tag=tag, value=value, sentence=sentence))
    return changes


def _sentence(number: int, tag: str, shown: str | None, wanted: str | None) -> str:
    if tag == STAGE:
        return f"version {number} is tagged {shown}, by the ledger it is {wanted}"
    if tag in (DECISION, REASONS):  # too long to say twice
        what = "no" if shown is None else "another"
        return f"version {number} shows {what} {tag}, by the ledger {'there is one' if wanted else 'none'}"
    return f"version {number} shows {tag} {shown or 'none'}, by the ledger it is {wanted or 'none'}"


def _wanted_tags(record: Record, standing: Standing) -> Mapping[str, str | None]:
    known = _knows(standing, record)
    decision = standing.decisions.get(record.number) if known else None
    request = standing.requests.get(record.number) if known else None
    return {
        STAGE: _stage(record, standing),
        DECISION: None if decision is None else _decision(decision),
        VERDICT: None if decision is None else decision.verdict,
        REASONS: None if decision is None else _cut("\n".join(decision.reasons)),
        APPROVAL: None if request is None else _answer(request),
    }


def _decision(decision: GateDecision) -> str:
    whole = decision.model_dump_json()
    return whole if len(whole.encode()) <= MOST_BYTES else json.dumps({"digest": decision.digest})


def _answer(request: Request) -> str:
    """Says nothing that time alone would make untrue."""
    if request.answered is None:
        return f"waiting until {request.what.expires_at:%Y-%m-%d %H:%M} UTC"
    answer = "approved" if isinstance(request.answered.event, Approved) else "refused"
    return _cut(f"{answer} by {request.answered.actor}")


def _cut(text: str) -> str:
    return text if len(text.encode()) <= MOST_BYTES else text[: MOST_BYTES // 4 - 1] + "…"
