"""Vertex AI's refusals as ours: what it said, and what to do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from mlops_core.errors import BadInput, MlopsError, NotFound, Unavailable

if TYPE_CHECKING:
    from google.api_core.exceptions import GoogleAPICallError

__all__ = ["Purpose", "no_credentials", "refusal"]

_LONGEST = 300  # letters of what a server says that go into a message
_SIGN_IN = (
    "sign in by `gcloud auth application-default login`, or name a key file in GOOGLE_APPLICATION_CREDENTIALS"
)
_AGAIN = "run the same again"
# What a client of Google's says, as gRPC passes it on, when nobody accepts what it signs in with
_NOT_ACCEPTED = re.compile(r"invalid_grant|invalid_client|deleted_client|[Rr]eauthenticat|invalid_scope")
_PACE = re.compile(r"per minute|per second|rate limit|too many requests", re.IGNORECASE)
_BUSY = re.compile(r"other operations? (is|are)? ?running|concurrent|try again", re.IGNORECASE)


class Purpose(NamedTuple):
    """What a call is about, and the permission of IAM that it needs."""

    what: str
    permission: str


def no_credentials(error: Exception) -> BadInput:
    """The error for a machine that has nothing to sign in with."""
    return BadInput(f"there are no credentials for Google Cloud ({_line(str(error))}): {_SIGN_IN}")


def refusal(error: GoogleAPICallError, purpose: Purpose) -> MlopsError:
    """The error for a call that failed, by the name of Google's own; see google.rpc.Code."""
    said = _line(error.message or "")
    what = f"Vertex AI, asked to {purpose.what}, said {said!r}"
    match type(error).__name__:
        case "Unauthenticated" | "Unauthorized":
            return BadInput(f"{what}: it does not know who asks, so {_SIGN_IN}")
        case "PermissionDenied" | "Forbidden":
            return BadInput(
                f"{what}: who asks needs {purpose.permission} in that project, e.g. by the role "
                "roles/aiplatform.user; see MLOPS_VERTEX_PROJECT"
            )
        case "ResourceExhausted" | "TooManyRequests":
            return _exhausted(said, what)
        case "NotFound":
            return NotFound(
                f"{what}: see that MLOPS_VERTEX_PROJECT and MLOPS_VERTEX_LOCATION are those meant, and that "
                "what is named was not deleted"
            )
        case "ServiceUnavailable" if _NOT_ACCEPTED.search(said):
            return BadInput(f"{what}: the credentials hold no more, so {_SIGN_IN}")
        case "ServiceUnavailable" | "DeadlineExceeded" | "GatewayTimeout" | "RetryError":
            return Unavailable(f"{what}: it is out of reach or busy; {_AGAIN}")
        case "Aborted" | "AlreadyExists" | "Conflict":
            return Unavailable(f"{what}: somebody else was at it at the same moment; {_AGAIN}")
        case "FailedPrecondition" if _BUSY.search(said):
            return Unavailable(f"{what}: {_AGAIN} once that is done")
        case "InvalidArgument" | "OutOfRange":
            return BadInput(f"{what}: see MLOPS_IMAGE and the MLOPS_VERTEX_ settings")
        case _:
            return MlopsError(f"{what}: what served before still serves; mend that and {_AGAIN}")


def _exhausted(said: str, what: str) -> MlopsError:
    """A limit of requests passes; one of machines does not."""
    if _PACE.search(said):
        return Unavailable(f"{what}: too many requests at a time; {_AGAIN} in a minute")
    return BadInput(
        f"{what}: the quota is used up. Ask Google for more (IAM & Admin, Quotas), or take fewer or smaller "
        "machines: MLOPS_INSTANCES, MLOPS_MAX_INSTANCES, MLOPS_VERTEX_MACHINE"
    )


def _line(text: str) -> str:
    words = "".join(sign if sign.isprintable() else " " for sign in text).split()
    return " ".join(words)[:_LONGEST]
