"""A question to a person, from its asking to what came of it.

The ledger holds question and answer, so it does not matter where the answer came from nor what was killed in
between: a run looks there first, does what is left to do, and parks when nobody has answered yet. Prefect
runs a parked flow from the top again when its form is answered. What the form got lies with the run, a key
for each time that it parked, and is read from there: Prefect's own replay forgets the keys when a run that
ended is tried again, and would park a second time under the first one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, Literal

from prefect.flow_runs import suspend_flow_run
from prefect.input import (
    RunInput,
    create_flow_run_input,
    filter_flow_run_input,
    keyset_from_paused_state,
    read_flow_run_input,
)
from prefect.states import Completed, Failed, Suspended
from pydantic import Field

from flows.artifacts import publish_question
from mlops_core.domain.handover import Handover
from mlops_core.domain.ledger import Promoted
from mlops_core.errors import BadInput, NotFound, Superseded
from mlops_core.places import Places
from mlops_core.promotion import answer, bring, current_question, standing_of, where
from mlops_core.question import question

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from mlops_core.domain.ledger import Entry
    from mlops_core.domain.registry import ModelVersion
    from mlops_core.domain.standing import Request, Standing
    from mlops_core.domain.usecase import UseCase
    from mlops_core.ports import Engines

__all__ = ["AWAITING", "REJECTED", "VOID", "Answer", "Case", "pin", "pinned"]

AWAITING = "AwaitingApproval"
"""Name of the state in which a run ends that leaves the rest to a person."""
REJECTED = "Rejected"
"""Name of the state in which a run ends when the gate, or a person, said no."""
VOID = "Void"
"""Name of the state in which a run ends whose question nobody can answer any more.

Completed when nobody did; failed when a person consented and it could not be acted upon.
"""
_PIN = "question"
GRACE = timedelta(days=1)
"""How long after its question expired a run stays parked, for settling to end it with our sentence.

Prefect ends it then, with one of its own.
"""


class Answer(RunInput):
    """What the form asks for."""

    decision: Literal["approve", "reject"] = Field(description="Whether it goes to Production.")
    approver: str = Field(min_length=1, title="Your name", description="As the ledger is to keep it.")
    reason: str = Field(min_length=1, description="Why. The ledger keeps it too.")


@dataclass(frozen=True)
class Case:
    """A version, and the question about it: `asked` is the beginning of its digest.

    `known_as` is how commands find the use case, as module:ATTRIBUTE where it is one of the user's own.
    """

    engines: Engines
    use_case: UseCase
    version: ModelVersion
    asked: str
    known_as: str

    @property
    def who(self) -> str:
        """The version in words."""
        return f"{self.version.name} version {self.version.number}"

    def concluded(self) -> Any:
        """Do what the ledger says is left to do; the state to end in, or None while nobody has answered.

        Raises `NotFound` when nothing was asked.
        """
        standing = standing_of(self.engines, self.use_case.name)
        request = standing.requests.get(self.version.number)
        if request is None or not request.digest.startswith(self.asked):
            return self._past(standing, request)
        if (
            _promoted(standing, request.digest, request.asked.number)
            or request.status(datetime.now(UTC)) == "approved"
        ):
            return self._approved(standing, request)
        match request.status(datetime.now(UTC)):
            case "refused":
                by = request.answered
                return Completed(name=REJECTED, message=f"{self.who}: refused by {_signed(by)}")
            case "expired":
                return Completed(name=VOID, message=f"{self.who}: {_expired(request)}")
        try:
            current_question(self.engines, standing, self.version, self.use_case.gate)
        except Superseded as error:
            return Completed(name=VOID, message=str(error))
        return None

    def concluded_for(self, run: UUID) -> Any:
        """The same, failed for a run whose form got a consent that cannot be acted upon."""
        state = self.concluded()
        if state is not None and state.name == VOID:
            *_, last = [None, *_answers(run)]
            return _void(state.message) if last is not None and last.decision == "approve" else state
        return state

    def put(self, run: UUID) -> Any:
        """Go through what the form got so far and park until it gets an answer that can be taken.

        Parking ends the process: Prefect raises through here. Returns the state to end in.
        """
        note, answers = "", [*_answers(run)]
        for given in answers:
            if given is not None:
                try:
                    return self._answered(given)
                except BadInput as error:
                    note = str(error)
        return self._park(f"answer-{len(answers) + 1}", note)

    def mend(self, run: UUID, key: str) -> bool:
        """Give a parked run its form, if it was killed between parking and that; whether it was."""
        if "schema" in _kept(run, key):
            return False
        form = Answer.with_initial_data(description=self._text())
        form.save(keyset_from_paused_state(Suspended(pause_key=key)), flow_run_id=run)
        return True

    def _answered(self, given: Answer) -> Any:
        try:
            answer(
                self.engines,
                self.version,
                self.use_case.gate,
                consent=given.decision == "approve",
                actor=given.approver,
                reason=given.reason,
                question=self.asked,
            )
        except Superseded as error:
            return _void(str(error))
        return self.concluded()

    def _park(self, key: str, note: str) -> Any:
        standing = standing_of(self.engines, self.use_case.name)
        decision, request = standing.decisions[self.version.number], standing.requests[self.version.number]
        text, report = self._text(note), request.what.report_path
        publish_question(self.engines, self.version, text, decision, report, self._places())
        left = request.what.expires_at + GRACE - datetime.now(UTC)
        form = Answer.with_initial_data(description=text)
        return suspend_flow_run(wait_for_input=form, timeout=int(left.total_seconds()), key=key)

    def _text(self, note: str = "") -> str:
        standing = standing_of(self.engines, self.use_case.name)
        decision, request = standing.decisions[self.version.number], standing.requests[self.version.number]
        return question(self.version, decision, request, self._places(), note)

    def _places(self) -> Places:
        return Places.of(self.version.name, self.version.number, self.known_as)

    def _approved(self, standing: Standing, request: Request) -> Any:
        """Promote it, or finish what an interrupted promotion left; what went on from there stays."""
        by, promoted = request.answered, _promoted(standing, request.digest, request.asked.number)
        if promoted is None or standing.production == self.version.number:
            try:
                assert by is not None  # noqa: S101 - the status says that there is an answer
                brought = bring(
                    self.engines, self.version, self.use_case.gate, actor=by.actor, reason=by.reason
                )
            except Superseded as error:
                return _void(str(error))
            if isinstance(brought, Handover):
                return Completed(message=f"{self.who}: {where(brought)}, approved by {_signed(by)}")
        return Completed(message=f"{self.who}: promoted to Production, approved by {_signed(by)}")

    def _past(self, standing: Standing, newer: Request | None) -> Any:
        """How a question ended that is not the newest, or none."""
        entry = _promoted(standing, self.asked)
        if entry is not None:
            return Completed(message=f"{self.who}: went to Production at {entry.at:%Y-%m-%d %H:%M} UTC")
        if newer is None:
            raise NotFound(f"no approval of {self.who} was asked for: `mlops run {self.use_case.name}` does")
        now = f"what is asked now is {newer.digest[:12]}, not {self.asked[:12]}"
        return Completed(name=VOID, message=f"{self.who}: {now}: look at it again")


def pin(run: UUID, question: str) -> str:
    """The question that a run is about: the one when it first started, however often it goes on."""
    found = pinned(run)
    if not found:
        create_flow_run_input(_PIN, question, flow_run_id=run)
    return found or question


def pinned(run: UUID) -> str:
    """The same, empty when it never started."""
    found: Any = read_flow_run_input(_PIN, flow_run_id=run)  # Any: typed for coroutines too
    return found or ""


def _kept(run: UUID, key: str) -> dict[str, Any]:
    """What lies with a run about one time that it parked: `schema` once it did, `response` once answered."""
    keys = keyset_from_paused_state(Suspended(pause_key=key))
    prefix = keys["schema"].removesuffix("schema")
    found: Any = filter_flow_run_input(key_prefix=prefix, limit=len(keys), flow_run_id=run)
    return {one.key.removeprefix(prefix): one.decoded_value for one in found}


def _answers(run: UUID) -> Iterator[Answer | None]:
    """What the form got, each time that the run parked; None where it was never answered."""
    for number in count(1):
        kept = _kept(run, f"answer-{number}")
        if "schema" not in kept:
            return
        yield Answer(**kept["response"]) if "response" in kept else None


def _promoted(standing: Standing, request: str, after: int = 0) -> Entry | None:
    """The entry by which a version went to Production on this question, asked in entry `after`."""
    for entry in standing.entries[after:]:
        if isinstance(entry.event, Promoted) and (entry.event.request or "").startswith(request):
            return entry
    return None


def _void(sentence: str) -> Any:
    return Failed(name=VOID, message=sentence, data=Superseded(sentence))


def _signed(by: Entry | None) -> str:
    return f"{by.actor} at {by.at:%Y-%m-%d %H:%M} UTC: {by.reason}" if by else "nobody"


def _expired(request: Request) -> str:
    name = request.asked.name
    return f"nobody answered until {request.what.expires_at:%Y-%m-%d %H:%M} UTC: `mlops run {name}` asks anew"
