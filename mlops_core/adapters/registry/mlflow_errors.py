"""Errors of MLflow and what lies beneath it, as ours."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mlops_core.errors import BadInput, IntegrityError, MlopsError, NotFound, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_core.adapters.registry.mlflow_location import StoreLocation

__all__ = ["translated"]

_BY_TEXT = (  # SQLite says what is wrong in words alone; the first that occurs counts
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
        words = " ".join(str(error).split()).partition(" [SQL:")[0]
        reason = location.redacted(words)[:300] or type(error).__name__
        remedy = "" if kind in (BadInput, NotFound) else f" {location.remedy}"  # the store is well then
        raise kind(f"the registry {location.shown} {what}: {reason.rstrip('.')}.{remedy}") from error


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
