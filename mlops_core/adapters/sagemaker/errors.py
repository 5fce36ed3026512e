"""Refusals of AWS, and of its client, as ours: what was asked for, what came, and what to do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mlops_core.errors import BadInput, MlopsError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["is_missing", "is_there_already", "refusal"]

_LONGEST = 400  # letters of what AWS says that go into a message
_THROTTLES = re.compile("Throttl|TooManyRequests|RequestLimitExceeded|SlowDown|ModelNotReady")
_EXPIRED = re.compile("ExpiredToken|RequestExpired|TokenRefreshRequired")
_UNKNOWN = re.compile(
    "UnrecognizedClient|InvalidClientTokenId|InvalidAccessKeyId|Signature|MissingAuthentication|InvalidToken"
)
_DENIED = re.compile("AccessDenied|Unauthorized|NotAuthorized")
_QUOTA = re.compile("ResourceLimitExceeded|LimitExceeded|ServiceQuotaExceeded")
# Of botocore's own errors only the names are told apart: they are many, and some have no common root
_OUT_OF_REACH = re.compile("Connect|Connection|Timeout|HTTPClient|ProxyConnection|ResponseStreaming|SSLError")
_SIGN_IN = re.compile("Credential|Token|SSO|Profile|Login|MetadataRetrieval")


def is_missing(error: Exception) -> bool:
    """Whether AWS says that there is no such thing."""
    code, words = _said(error)
    return code == "ValidationException" and words.startswith("Could not find")


def is_there_already(error: Exception) -> bool:
    """Whether AWS says that something of that name was made before."""
    code, words = _said(error)
    return code == "ValidationException" and words.startswith("Cannot create already existing")


def refusal(error: Exception, permission: str) -> MlopsError:
    """The error for what AWS or its client raised; `permission` is IAM's name of what was asked for."""
    what = f"AWS was asked for {permission}"
    if hasattr(error, "response"):
        return _refused(error, what, permission)
    kind, words = type(error).__name__, _short(str(error))
    if kind == "NoRegionError":
        return BadInput(f"{what}, but no region is set: put one, eu-west-1 or so, into AWS_REGION")
    if _OUT_OF_REACH.search(kind):
        return Unavailable(f"{what}, which is out of reach: {words}. Run the same again")
    if _SIGN_IN.search(kind):
        return BadInput(
            f"{what} without credentials that can be used: {words}. Sign in (`aws sso login`), or set "
            "AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    return MlopsError(f"{what}, and its client refused: {words}")


def _refused(error: Exception, what: str, permission: str) -> MlopsError:
    code, words = _said(error)
    told = f"{what}, which said {code}: {words}"
    if _DENIED.search(code):
        return BadInput(f"{told}. {_allowing(permission, words)}")
    if _QUOTA.search(code):
        named = re.search("'([^']+)'", words)
        quota = f"the quota {named[1]!r}" if named else "a quota"
        return BadInput(
            f"{told} — {quota} is used up: have it raised in AWS Service Quotas, or serve with fewer or "
            "other instances (MLOPS_INSTANCES, MLOPS_SAGEMAKER_INSTANCE)"
        )
    if _EXPIRED.search(code):
        return BadInput(f"{told}: the credentials have expired. Sign in again")
    if _UNKNOWN.search(code):
        return BadInput(f"{told}: AWS does not know them. Sign in again, to the account that is meant")
    if "Cannot update in-progress" in words or is_there_already(error):
        return Unavailable(f"{told}: somebody else is at it. Run the same again later")
    if _THROTTLES.search(code) or _status(error) >= 500:
        return Unavailable(f"{told}. Run the same again later")
    if code == "ValidationException" and re.search("[Rr]ole|assume", words):
        return BadInput(
            f"{told}. See that MLOPS_SAGEMAKER_ROLE names a role that sagemaker.amazonaws.com may assume and "
            "that may read the releases and the image"
        )
    return MlopsError(told)


def _allowing(permission: str, words: str) -> str:
    if "iam:PassRole" in words:
        return "Who delivers needs iam:PassRole for the role of MLOPS_SAGEMAKER_ROLE"
    return f"Who delivers needs the permission {permission}: docs/targets.md lists all of them"


def _said(error: Exception) -> tuple[str, str]:
    """Code and words of an answer of AWS."""
    told: Mapping[str, Any] = getattr(error, "response", {})
    inner = told.get("Error", {})
    words = str(inner.get("Message", ""))
    original = told.get("OriginalMessage")  # of a model's server, behind InvokeEndpoint
    return str(inner.get("Code", "")), _short(f"{words} {original}" if original else words)


def _status(error: Exception) -> int:
    told: Mapping[str, Any] = getattr(error, "response", {})
    return int(told.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _short(words: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in words).split())[:_LONGEST]
