"""The refusals of an API server as ours: what it said, of which object, and what to do."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from mlops_core.errors import BadInput, Conflict, MlopsError, NotFound, Unavailable

if TYPE_CHECKING:
    from mlops_core.adapters.kubernetes.kinds import Kind

__all__ = ["Refusal", "Request", "refusal", "said"]

_LONGEST = 400  # letters of what a server says that go into a message


class Request(NamedTuple):
    """What was asked: `verb` as a Role has it, of a `kind`, in a `namespace`; `what` says it in words."""

    verb: str
    kind: Kind
    namespace: str
    what: str


class Refusal(NamedTuple):
    """An answer that is none of those hoped for; `status` is what the body says if it is a Status."""

    code: int
    body: bytes

    @property
    def status(self) -> dict[str, Any]:
        """The Status object of the API; empty when somebody else answered."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) and found.get("kind") == "Status" else {}

    @property
    def words(self) -> str:
        """What was said, in one line."""
        return said(self.status.get("message") or self.body.decode(errors="replace") or str(self.code))


def said(text: str) -> str:
    """Words of somebody else as they go into a message: one line, and not too many."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


def refusal(answer: Refusal, request: Request) -> MlopsError:
    """The error for an answer."""
    start = f"kubernetes: cannot {request.what}"
    match answer.code:
        case 401:
            return BadInput(
                f"{start}: the API server does not know who asks ({answer.words}). "
                "Sign in to the cluster again, or name another context with MLOPS_KUBERNETES_CONTEXT"
            )
        case 403:
            return _forbidden(start, answer, request)
        case 404:
            return _missing(start, answer, request)
        case 409:
            return _conflict(start, answer)
        case 400 | 422:
            return BadInput(f"{start}: {answer.words}. Nothing was applied: mend what it names")
        case 429 | 500 | 502 | 503 | 504:
            return Unavailable(
                f"{start}: the API server says {answer.code} {answer.words}. Run the same again"
            )
        case _:
            return MlopsError(f"{start}: the API server says {answer.code} {answer.words}")


def _forbidden(start: str, answer: Refusal, request: Request) -> MlopsError:
    if "exceeded quota" in answer.words:
        return BadInput(
            f"{start}: the quota of namespace {request.namespace} is used up ({answer.words}). "
            "Have it raised, or ask for less with MLOPS_INSTANCES"
        )
    if "denied the request" in answer.words or "violates PodSecurity" in answer.words:
        return BadInput(f"{start}: a policy of the cluster refuses it ({answer.words})")
    found = re.search(r"cannot (\w+) resource", answer.words)  # applying what is not there wants `create` too
    verb = found[1] if found else request.verb
    return BadInput(
        f"{start}: who asks may not ({answer.words}). The Role in namespace {request.namespace} needs "
        f"the verb {verb!r} on {request.kind.resource}: see docs/targets.md"
    )


def _missing(start: str, answer: Refusal, request: Request) -> MlopsError:
    if answer.status.get("details", {}).get("kind") == "namespaces":
        return NotFound(
            f"{start}: there is no namespace {request.namespace!r}: make it, or name another with "
            "MLOPS_KUBERNETES_NAMESPACE"
        )
    if not answer.status or not answer.status.get("details", {}).get("name"):
        return BadInput(
            f"{start}: the cluster knows no {request.kind.resource} ({request.kind.path}). "
            + (
                "Install the Gateway API, or unset MLOPS_KUBERNETES_GATEWAY"
                if request.kind.plural == "httproutes"
                else "It is older than what is applied, or no API server: see MLOPS_KUBERNETES_CONTEXT"
            )
        )
    return NotFound(f"{start}: {answer.words}")


def _conflict(start: str, answer: Refusal) -> MlopsError:
    causes = answer.status.get("details", {}).get("causes", ())
    taken = [one for one in causes if one.get("reason") == "FieldManagerConflict"]
    if not taken:
        return Conflict(f"{start}: somebody changed it at the same time ({answer.words}). Run the same again")
    fields = "; ".join(f"{one.get('field')} ({one.get('message')})" for one in taken)
    return BadInput(
        f"{start}: somebody else has set fields of it: {said(fields)}. Have them give these up, or take "
        "them with `kubectl apply --server-side --force-conflicts --field-manager=mlops`"
    )
