"""Errors of MLflow and what lies beneath it, as ours."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from mlops_core.errors import BadInput, IntegrityError, MlopsError, NotFound, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlops_core.adapters.registry.mlflow_location import StoreLocation

__all__ = ["absent_is_fine", "insisting", "translated"]

T = TypeVar("T")

_TRIES = 5
_LENGTH = 300

_COLLISION = ("UniqueViolation", "duplicate key", "UNIQUE constraint", "Duplicate entry")
_BY_TEXT = (  # databases say what is wrong in words alone; the first that occurs counts
    (_COLLISION, Unavailable, "was written to by another host at the same moment"),
    (("is locked",), Unavailable, "is locked by another process"),
    (("not a database", "malformed"), IntegrityError, "is not an intact SQLite database"),
    (("readonly", "read-only", "unable to open database"), MlopsError, "cannot be written"),
    (("disk is full", "disk I/O error"), MlopsError, "cannot be written to disk"),
    (("out-of-date database schema",), MlopsError, "has the schema of another MLflow version"),
)
_BY_CODE: dict[str, tuple[type[MlopsError], str]] = {
    "RESOURCE_DOES_NOT_EXIST": (NotFound, "does not have what was asked for"),
    "ENDPOINT_NOT_FOUND": (MlopsError, "does not answer as an MLflow server"),
    "INVALID_PARAMETER_VALUE": (BadInput, "refuses what was given"),
    "RESOURCE_ALREADY_EXISTS": (BadInput, "refuses what was given"),
    "BAD_REQUEST": (BadInput, "refuses what was given"),
    "UNAUTHENTICATED": (MlopsError, "asks for credentials (MLFLOW_TRACKING_USERNAME, _PASSWORD or _TOKEN)"),
    "PERMISSION_DENIED": (MlopsError, "denies permission (is this host in the server's --allowed-hosts?)"),
    "TEMPORARILY_UNAVAILABLE": (Unavailable, "is not available now"),
    "DEADLINE_EXCEEDED": (Unavailable, "took too long"),
    "REQUEST_LIMIT_EXCEEDED": (Unavailable, "asks for fewer requests"),
}


@contextmanager
def translated(location: StoreLocation) -> Iterator[None]:
    """Raise what an engine raises in the body as one of our errors, naming the store and what to do."""
    try:
        yield
    except MlopsError:
        raise
    except _engine_errors() as error:
        kind, what = _meaning(error, remote=location.database is None)
        words = " ".join(_words(error).split()).partition(" [SQL:")[0]
        reason = _cut(location.redacted(words)) or type(error).__name__
        remedy = "" if kind in (BadInput, NotFound) else f" {location.remedy}"  # the store is well then
        raise kind(f"the registry {location.shown} {what}: {reason.rstrip('.')}.{remedy}") from error


def insisting(call: Callable[[], T]) -> T:
    """What the call returns, made again when another host wrote the same row at the same moment.

    MLflow looks for a row and then adds it, which two can do at once: the database refuses the later one, and
    MLflow hands that on. Only for calls that can be made twice.
    """
    from mlflow.exceptions import MlflowException

    for left in reversed(range(_TRIES)):
        try:
            return call()
        except MlflowException as error:
            if not left or not any(word in str(error) for word in _COLLISION):
                raise
    raise AssertionError("the last try returns or raises")


@contextmanager
def absent_is_fine() -> Iterator[None]:
    """End the body where MLflow does not know what was asked for."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise


def _cut(words: str) -> str:
    """The middle of a long text is left out: what caused it is said at its end."""
    return words if len(words) <= _LENGTH else f"{words[: _LENGTH // 2]} … {words[-_LENGTH // 2 :]}"


def _words(error: BaseException) -> str:
    """What the system said, where it did: the HTTP client around that quotes its own attempts at length."""
    said = [one.strerror for one in _causes(error) if isinstance(one, OSError) and one.strerror]
    return said[-1] if said else str(error)


def _engine_errors() -> tuple[type[Exception], ...]:
    errors: tuple[type[Exception], ...] = (OSError, sqlite3.Error, ModuleNotFoundError)
    if "mlflow" in sys.modules:  # otherwise it cannot have raised
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        errors = (*errors, MlflowException, SQLAlchemyError)
    return errors


def _meaning(error: BaseException, *, remote: bool) -> tuple[type[MlopsError], str]:
    if isinstance(error, ModuleNotFoundError):
        return MlopsError, "needs a Python package that is not installed"
    causes = list(_causes(error))
    if any(isinstance(cause, OSError) for cause in causes):
        return (Unavailable, "cannot be reached") if remote else (MlopsError, "cannot be read or written")
    text = " ".join(str(cause) for cause in causes)
    for words, kind, what in _BY_TEXT:
        if any(word in text for word in words):
            return kind, what
    if remote and (status := getattr(error, "get_http_status_code", None)) and status() >= 500:
        return Unavailable, "failed at the server"
    return _BY_CODE.get(getattr(error, "error_code", ""), (MlopsError, "cannot be used"))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
