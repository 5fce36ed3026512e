"""The ledger in PostgreSQL, for a team: one table, whose primary key lets one of several writers through.

Two that append after the same entry insert the same number: the second waits until the first has committed,
and is told then. Nobody locks a table or waits for anything else. What a killed writer did not commit, the
server undoes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import URL, Column, Integer, MetaData, Table, Text, create_engine, func, insert, select, text
from sqlalchemy.pool import NullPool

from mlops_core.adapters.ledger.rows import Known, Row, rows_after, verified
from mlops_core.adapters.ledger.sql_errors import address_of, translated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Select
    from sqlalchemy import Row as Found

    from mlops_core.domain.ledger import Draft, Entry

__all__ = ["SQLLedger"]

# What libpq does when the network is gone, in seconds: it would wait for hours
_REACHING = {
    "client_encoding": "utf8",
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,  # milliseconds, this one
}
_ENTRY = Table(
    "mlops_ledger",
    MetaData(),
    Column("name", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("digest", Text, nullable=False),
    Column("text", Text, nullable=False),
)
_KEPT = (
    """
    CREATE OR REPLACE FUNCTION mlops_ledger_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'entries of the ledger are never changed or deleted';
    END $$
    """,
    "CREATE TRIGGER mlops_ledger_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON mlops_ledger "
    "EXECUTE FUNCTION mlops_ledger_stays()",
)
_CREATING = (
    0x6D6C6F67  # "mlog": the lock of those who find no table; they would fail when creating it at once
)


class SQLLedger:
    """The port `Ledger` over a PostgreSQL database, which many hosts may share.

    `url` is `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`; the driver is psycopg 3. The table is made at
    the first append, if the role may create it; afterwards SELECT and INSERT are all that is needed.
    `patience` is how long, in seconds, an append waits for another one. Raises `BadInput` for another URL,
    `Unavailable` when the server is out of reach or the other does not end, and `MlopsError` for what it
    refuses; no message holds the password.
    """

    def __init__(self, url: str, *, patience: float = 30.0) -> None:
        self._patience = patience
        self._known: Known = {}
        parsed = address_of(url)
        # Without user and options: a password may be among those, too
        place = URL.create("postgresql", host=parsed.host, port=parsed.port, database=parsed.database)
        self._where = place.render_as_string()
        self._secret = parsed.password or parsed.query.get("password")
        # A connection a call: none is carried into a forked process, or goes stale while a run parks.
        self._engine = create_engine(
            parsed,
            poolclass=NullPool,
            hide_parameters=True,
            isolation_level="READ COMMITTED",
            connect_args={name: value for name, value in _REACHING.items() if name not in parsed.query},
        )

    def entries(self, name: str) -> tuple[Entry, ...]:
        """See `Ledger.entries`; none when there is no table."""
        asked = _rows(name).order_by(_ENTRY.c.number)
        with translated("read", self._where, self._secret), self._engine.connect() as connection:
            found = connection.execute(asked).all() if _is_there(connection) else []
        return verified(name, map(_row, found), self._where, self._known)

    def append(self, name: str, drafts: Sequence[Draft], *, after: int) -> tuple[Entry, ...]:
        """See `Ledger.append`."""
        asked = _rows(name).order_by(_ENTRY.c.number.desc()).limit(1)
        with (
            translated("write to", self._where, self._secret, place=f"{name!r} after entry {after}"),
            self._engine.begin() as connection,
        ):
            _prepare(connection, self._patience)
            head = connection.execute(asked).one_or_none()
            made = rows_after(
                _row(head) if head else None, name, drafts, after=after, where=self._where, known=self._known
            )
            values = [
                {"name": name, "number": row.number, "digest": row.digest, "text": row.text.decode()}
                for row, _ in made
            ]
            if values:
                connection.execute(insert(_ENTRY), values)
        return tuple(entry for _, entry in made)

    def names(self) -> list[str]:
        """The models that have entries."""
        asked = select(_ENTRY.c.name).distinct()
        with translated("read", self._where, self._secret), self._engine.connect() as connection:
            found = connection.scalars(asked).all() if _is_there(connection) else []
        return sorted(found)  # by this process's order: the database may sort by a language's


def _rows(name: str) -> Select[tuple[int, str, str]]:
    return select(_ENTRY.c.number, _ENTRY.c.digest, _ENTRY.c.text).where(_ENTRY.c.name == name)


def _row(found: Found[tuple[int, str, str]]) -> Row:
    number, digest, content = found
    return Row(number, digest, content.encode())


def _is_there(connection: Connection) -> bool:
    # Not by to_regclass: it answers from a cache that is not renewed while the lock below is waited for.
    asked = text(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_tables "
        "WHERE tablename = :table AND schemaname = ANY (current_schemas(false)))"
    )
    return bool(connection.scalar(asked, {"table": _ENTRY.name}))


def _prepare(connection: Connection, patience: float) -> None:
    """Settings of this transaction, and the table where there is none.

    It waits for others no longer than they for it, and a commit is on the disk whatever the server's default.
    """
    connection.execute(
        text(
            "SELECT set_config('lock_timeout', :patience, true), "
            "set_config('idle_in_transaction_session_timeout', :patience, true), "
            "set_config('synchronous_commit', CASE current_setting('synchronous_commit') "
            "WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, true)"
        ),
        {"patience": f"{patience * 1_000:.0f}ms"},
    )
    if _is_there(connection):
        return
    connection.execute(select(func.pg_advisory_xact_lock(_CREATING)))
    if not _is_there(connection):
        _ENTRY.create(connection)
        for statement in _KEPT:
            connection.execute(text(statement))
