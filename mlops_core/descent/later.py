"""What happened to a version after it was made, by the ledger; and what this workspace knows besides."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlops_core.descent.origin import decision_node, moment
from mlops_core.domain.descent import Descent, Node
from mlops_core.domain.ledger import (
    Adopted,
    ApprovalRequested,
    Approved,
    Archived,
    Decided,
    Deployed,
    Promoted,
    Refused,
    RolledBack,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_core.domain.history import HistoryVersion
    from mlops_core.domain.ledger import Entry
    from mlops_core.domain.standing import Standing

__all__ = ["descent_with_events", "descent_with_history", "descent_with_target"]


def descent_with_history(descent: Descent, standing: Standing) -> Descent:
    """The descent with everything that the ledger has of its version, up to the standing's last entry.

    That is when and by whom it was decided, questions and their answers, promotions and how each ended, and
    what was served from where, since when and until when. Decisions and approvals that an earlier promotion
    rests on are added to those that are there.
    """
    story = _Story(descent, standing)
    for entry in standing.entries:
        if entry.version == descent.version:
            story.tell(entry)
    return story.descent


def descent_with_events(descent: Descent, known: Mapping[str, HistoryVersion]) -> Descent:
    """The descent with what this workspace knows of the events, by source name.

    A version of the history with another digest says nothing of these events, and is left out.
    """
    nodes = []
    for node in descent.nodes:
        found = known.get(node.name) if node.kind == "events" else None
        if found is not None and found.digest == node.digest:
            days = f"{found.first:%Y-%m-%d} to {found.last:%Y-%m-%d}"
            gone = "" if found.present else ", compacted away"
            facts = (
                ("rows", f"{found.rows:,}"),
                ("days", days),
                ("history", f"version {found.number}{gone}"),
            )
            node = node.with_facts(*facts).model_copy(update={"at": found.stored_at})
        nodes.append(node)
    return descent.model_copy(update={"nodes": tuple(nodes)})


def descent_with_target(descent: Descent, content: str | None, version: int | None) -> Descent:
    """The descent with what the target serves now: the digest of its content, and whose version it is.

    Where the last release of the ledger should be served and is not, the fact says what is instead.
    """
    nodes = []
    for node in descent.nodes:
        if node.kind == "release" and dict(node.facts).get("until") == "now":
            instead = f"version {version}" if version is not None else "nothing"
            right = content == node.digest
            node = node.with_facts(("target", "serves it" if right else f"serves {instead} instead"))
        nodes.append(node)
    return descent.model_copy(update={"nodes": tuple(nodes)})


@dataclass
class _Story:
    """The graph while entries are being told.

    `by_digest` are ids of decisions and approvals, `first` the entry that first told of a node.
    """

    begun: Descent
    standing: Standing
    begun_with: set[str] = field(init=False)
    nodes: dict[str, Node] = field(init=False)
    edges: list[tuple[str, str]] = field(init=False)
    by_digest: dict[str, str] = field(default_factory=dict)
    first: dict[str, int] = field(default_factory=dict)
    promotion: str | None = None

    def __post_init__(self) -> None:
        self.begun_with = {node.id for node in self.begun.nodes}
        self.nodes = {node.id: node for node in self.begun.nodes}
        self.edges = list(self.begun.edges)
        for node in self.begun.nodes:
            if node.digest is not None and node.kind in ("decision", "approval"):
                self.by_digest[node.digest] = node.id
        stage = self.standing.stages.get(self.begun.version, "not in the ledger")
        self._say("version", ("stage", stage))

    @property
    def descent(self) -> Descent:
        """The graph as it is now: first what the version was made from, then what happened, in its order."""
        nodes = sorted(self.nodes.values(), key=lambda node: self._place(node.id))
        return self.begun.model_copy(
            update={"nodes": tuple(nodes), "edges": tuple(dict.fromkeys(self.edges))}
        )

    def _place(self, named: str) -> tuple[int, int]:
        """Sorts a node behind all that it follows from: the last entry that told of any, and depth."""
        before = [self._place(start) for start, end in self.edges if end == named]
        last = max((entry for entry, _ in before), default=0)
        depth = max((depth for _, depth in before), default=0)
        return max(last, self.first.get(named, 0)), depth + 1

    def tell(self, entry: Entry) -> None:
        """Add what an entry says."""
        match entry.event:
            case Decided():
                self._decided(entry, entry.event)
            case ApprovalRequested():
                self._asked(entry, entry.event)
            case Approved(request=request) | Refused(request=request):
                self._answered(entry, request)
            case Promoted() | Adopted():
                self._promoted(entry)
            case Archived() | RolledBack():
                self._left(entry)
            case Deployed():
                self._deployed(entry, entry.event)
            case _:
                self._say("version", ("registered by", entry.actor))

    def _decided(self, entry: Entry, event: Decided) -> None:
        named = self.by_digest.get(event.decision.digest)
        if named is None:
            named = f"decision.{entry.number}"
            if not self._wanted(event.decision.digest):
                return
            self.by_digest[event.decision.digest] = named
            self._add(entry, decision_node(event.decision, named), "version")
        self.first.setdefault(named, entry.number)
        if self.nodes[named].at is None:  # the same decision again changes nothing
            self.nodes[named] = self.nodes[named].model_copy(update={"at": entry.at})
            self._say(named, ("run by", entry.actor))

    def _wanted(self, decision: str) -> bool:
        """Whether a promotion rests on the decision, or a question, or it is the newest."""
        newest = self.standing.decisions.get(self.begun.version)
        events = [one.event for one in self.standing.entries if one.version == self.begun.version]
        resting = {one.decision for one in events if isinstance(one, Promoted)}
        asked = {one.binding.decision for one in events if isinstance(one, ApprovalRequested)}
        return decision in resting | asked or (newest is not None and newest.digest == decision)

    def _asked(self, entry: Entry, event: ApprovalRequested) -> None:
        named = self.by_digest.setdefault(event.binding.digest, f"approval.{entry.number}")
        self.first.setdefault(named, entry.number)
        if named in self.begun_with:  # the consent that it serves by, told already
            return
        asked = f"by {entry.actor}, {moment(entry.at)}"
        facts = (("asked", asked), ("good until", moment(event.expires_at)))
        node = Node(id=named, kind="approval", name="no answer yet", digest=event.binding.digest, facts=facts)
        self._add(entry, node, self.by_digest.get(event.binding.decision, "version"))

    def _answered(self, entry: Entry, request: str) -> None:
        named = self.by_digest.get(request)
        if named is None or self.nodes[named].at is not None:  # the first answer counts
            return
        node, refused = self.nodes[named], isinstance(entry.event, Refused)
        facts = {"why": entry.reason} | {
            caption: value for caption, value in node.facts if caption != "good until"
        }
        name = f"refused by {entry.actor}" if refused else entry.actor
        changed = {"name": name, "at": entry.at, "facts": tuple(facts.items())}
        self.nodes[named] = node.model_copy(update=changed)

    def _promoted(self, entry: Entry) -> None:
        event = entry.event
        if isinstance(event, Adopted):
            if event.stage != "Production":
                self._say("version", ("adopted", f"in {event.stage} by {entry.actor}, {moment(entry.at)}"))
                return
            facts, behind = [("why", entry.reason), ("adopted", "without a decision")], "version"
        else:
            assert isinstance(event, Promoted)  # noqa: S101 - `tell` has no other
            rests = [self.by_digest.get(one or "") for one in (event.request, event.decision)]
            behind = next((one for one in rests if one is not None), "version")
            facts = [("why", entry.reason)]
            facts += [("waived", ", ".join(event.waived))] if event.waived else []
            facts += [("instead of", f"version {event.champion}")] if event.champion else []
            facts += [("rests on", "a rollback, no decision")] if event.decision is None else []
        self.promotion = f"promotion.{entry.number}"
        self._add(
            entry,
            Node(id=self.promotion, kind="promotion", name=entry.actor, at=entry.at, facts=tuple(facts)),
            behind,
        )

    def _left(self, entry: Entry) -> None:
        if self.promotion is None:  # a ledger that was damaged before it was adopted
            return
        if isinstance(entry.event, RolledBack):
            who = f"to version {entry.event.to} by {entry.actor}, {moment(entry.at)}: {entry.reason}"
            self._say(self.promotion, ("rolled back", who))
        elif isinstance(entry.event, Archived):
            ended = f"{moment(entry.at)}, for version {entry.event.successor}"
            self._say(self.promotion, ("until", ended))

    def _deployed(self, entry: Entry, event: Deployed) -> None:
        later = [one for one in self.standing.served if one.number > entry.number]
        until = moment(later[0].at) if later else "now"
        node = Node(
            id=f"release.{entry.number}",
            kind="release",
            name=event.release,
            digest=event.content,
            at=entry.at,
            facts=(("until", until),),
        )
        self._add(entry, node, self.promotion or "version")

    def _add(self, entry: Entry, node: Node, behind: str) -> None:
        self.first.setdefault(node.id, entry.number)
        self.nodes[node.id] = node
        self.edges.append((behind, node.id))

    def _say(self, named: str, fact: tuple[str, str]) -> None:
        if named in self.nodes:
            self.nodes[named] = self.nodes[named].with_facts(fact)
