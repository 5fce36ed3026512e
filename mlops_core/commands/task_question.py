"""`mlops task question` and `answer`: for orchestrators that put the policy's question to a person."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mlops_core.commands.output import one_line, print_json, say, warn
from mlops_core.commands.subject import add_deed, engines_for, reason_of
from mlops_core.commands.task_attempt import another, attempted, taken
from mlops_core.commands.task_subject import add_run, add_use_case, begun_delivery
from mlops_core.errors import Superseded, Unavailable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from mlops_core.domain.receipts import ApprovalReceipt, ModelRegistryReceipt
    from mlops_core.domain.standing import Request, Standing

__all__ = ["EXIT_NOBODY_ASKED", "add"]

_APPROVAL = "approval"
EXIT_NOBODY_ASKED = 99
"""Exit code of `question` when nobody is asked: Airflow's BashOperator skips what ends so."""


def add(deeds: Any, words: Sequence[str]) -> None:  # noqa: ARG001 - every command is added the same way
    """Add the two commands."""
    question = deeds.add_parser(
        "question", help=f"what a person is asked, as JSON; exit code {EXIT_NOBODY_ASKED} when nobody is"
    )
    add_use_case(question)
    add_run(question)
    question.add_argument("--json", action="store_true", help="as it is anyway")
    question.set_defaults(command=_question)
    answer = deeds.add_parser("answer", help="enter a person's answer to that; promotes nothing")
    add_use_case(answer)
    add_run(answer)
    answer.add_argument("--answer", required=True, choices=("approve", "reject"), help="what it is")
    add_deed(answer)
    answer.add_argument("--json", action="store_true", help="print JSON: the approval's receipt")
    answer.set_defaults(command=_answer)


def _question(arguments: argparse.Namespace) -> int:
    """Nothing is asked here: the approval task did that."""
    try:
        asked = _Asked(arguments)
        if asked.receipt.status == "waiting" and asked.request() is None:
            asked.look_again()  # it was answered elsewhere, or expired
        request = asked.request() if asked.receipt.status == "waiting" else None
    except Unavailable as error:
        return another(error)
    if request is None:
        warn(f"mlops: nobody is asked: {asked.receipt.why}")
        return EXIT_NOBODY_ASKED
    say(json.dumps(asked.told(request, arguments.use_case), ensure_ascii=False))
    return 0


def _answer(arguments: argparse.Namespace) -> int:
    reason, consent = reason_of(arguments), arguments.answer == "approve"
    try:
        asked = _Asked(arguments)
        if asked.receipt.status == "waiting":
            asked.enter(consent=consent, actor=engines_for(arguments).actor, reason=reason)
    except Unavailable as error:
        return another(error)
    wanted = "approved" if consent else "refused"
    receipt = asked.receipt
    if receipt.status not in (wanted, "not wanted"):
        raise Superseded(f"{asked.who} is not {wanted}: {receipt.why}")
    if arguments.json:
        print_json(receipt.model_dump(mode="json"))
        return 0
    nothing = "" if receipt.status == wanted else "nothing to answer: "
    say(f"{asked.who}: {nothing}{one_line(receipt.why)}")
    return 0


class _Asked:
    """What the approval of a run came to: its receipt, and the question in the ledger."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        from mlops_core.promotion import registered
        from mlops_core.run_folder import RunFolder

        self._folder = RunFolder(arguments.run)
        self._delivery = begun_delivery(arguments.use_case, self._folder)
        self._task = self._delivery.dag[_APPROVAL]
        self._above = taken(self._delivery, self._folder, self._task)
        self.receipt: ApprovalReceipt = self._folder.receipts([_APPROVAL])[_APPROVAL]
        registration: ModelRegistryReceipt = self._above["model_registry"]
        self._version = registered(self._delivery.engines, registration.name, registration.version)

    @property
    def who(self) -> str:
        """The version in words."""
        return f"{self._version.name} version {self._version.number}"

    def request(self) -> Request | None:
        """The question that stands, when it is that of the receipt and waits for an answer."""
        found = self._standing().requests.get(self._version.number)
        waits = found is not None and found.status(datetime.now(UTC)) == "waiting"
        return found if waits and found is not None and found.digest == self.receipt.request else None

    def look_again(self) -> None:
        """Run the approval again: its receipt says what came of the question, or a new one is asked."""
        once = replace(self._task, retry=replace(self._task.retry, attempts=1))
        self.receipt = attempted(self._folder, once, self._above)

    def enter(self, *, consent: bool, actor: str, reason: str) -> None:
        """Enter the answer to the question of the receipt, and have that say so.

        Raises as `promotion.answer` does; what somebody else answered meanwhile is in the receipt then.
        """
        from mlops_core.promotion import answer

        policy, digest = self._delivery.use_case.gate, self.receipt.request or ""
        try:
            answer(
                self._delivery.engines,
                self._version,
                policy,
                consent=consent,
                actor=actor,
                reason=reason,
                question=digest,
            )
        except Superseded:
            found = self._standing().requests.get(self._version.number)
            if found is not None and found.digest == digest and found.answered is not None:
                self.look_again()
            raise
        self.look_again()

    def told(self, request: Request, known_as: str) -> dict[str, Any]:
        """The question as an orchestrator puts it: one line, and Markdown."""
        from mlops_core.places import Places
        from mlops_core.question import question, subject

        version, decision = self._version, self._standing().decisions[self._version.number]
        places = Places.of(version.name, version.number, known_as)
        return {
            "subject": subject(version),
            "body": question(version, decision, request, places),
            "question": request.digest,
            "name": version.name,
            "version": version.number,
            "expires_at": request.what.expires_at.isoformat(),
        }

    def _standing(self) -> Standing:
        from mlops_core.promotion import standing_of

        return standing_of(self._delivery.engines, self._version.name)
