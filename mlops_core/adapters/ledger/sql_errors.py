"""Errors of SQLAlchemy and PostgreSQL as ours, with the server named but never its password."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError, SQLAlchemyError

from mlops_core.errors import BadInput, Conflict, MlopsError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL

__all__ = ["address_of", "translated"]

_DRIVER = "postgresql+psycopg"
# Classes of SQLSTATE that pass: connection, rollback, resources, object in use, operator, system, time-out
_PASSING = ("08", "40", "53", "55", "57", "58", "25P")


def address_of(url: str) -> URL:
    """The parsed URL, with the driver that there is. Raises `BadInput` when it cannot be one of ours."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise _no_url() from None  # the error would show what stands in the URL, a password among it
    if parsed.drivername not in ("postgresql", _DRIVER) or not parsed.database:
        raise _no_url()
    try:
        import psycopg  # noqa: F401 - is it there?
    except ImportError as error:
        raise MlopsError(
            "a ledger in PostgreSQL needs the extra: pip install 'mlops-core[postgresql]'"
        ) from error
    return parsed.set(drivername=_DRIVER)


def _no_url() -> BadInput:
    return BadInput(
        "the URL of the ledger (MLOPS_LEDGER) is none that it can be kept at: give "
        "postgresql://USER:PASSWORD@HOST:PORT/DATABASE, percent-encoded, or sqlite:///PATH. Other databases "
        "are not offered: what the ledger promises was not proved on them."
    )


@contextmanager
def translated(doing: str, where: str, secret: object, *, place: str = "") -> Iterator[None]:
    """Errors of the body as ours; `place` is where it appends, for `Conflict`."""
    try:
        yield
    except DBAPIError as error:
        raise _ours(error, doing, where, _said(error.orig, secret), place) from error
    except SQLAlchemyError as error:
        raise MlopsError(f"cannot {doing} the ledger at {where}: {_said(error, secret)}") from error


def _said(error: BaseException | None, secret: object) -> str:
    text = " ".join(str(error).split()).rstrip(".?")
    return text.replace(str(secret), "***") if secret else text


def _ours(error: DBAPIError, doing: str, where: str, said: str, place: str) -> MlopsError:
    state = getattr(error.orig, "sqlstate", None)
    if state == "23505":  # unique_violation
        return Conflict(f"somebody else wrote to the ledger of {place} first: look again")
    what = f"cannot {doing} the ledger at {where}: {said}."
    unreached = state is None and isinstance(error, OperationalError | InterfaceError)
    if unreached or (state or "").startswith(_PASSING):
        return Unavailable(f"{what} See that the server runs and can be reached, and run the same again.")
    if state == "42501":  # insufficient_privilege
        return MlopsError(
            f"{what} The role needs SELECT and INSERT on the table mlops_ledger, and for the first entry "
            "CREATE on the schema."
        )
    return MlopsError(f"{what} Nothing was written; see the server's log and settings.")
