"""What only a server can do: be out of reach, refuse, be read-only, keep one waiting, hold other data."""

from __future__ import annotations

import socket
import sys
import traceback
from typing import TYPE_CHECKING

import psycopg
import pytest

from mlops_core.adapters.ledger.sql import SQLLedger
from mlops_core.errors import BadInput, Conflict, MlopsError, Unavailable
from tests.ledger.drafts import promoted, registered

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.postgresql_server import PostgreSQLServer

SECRET = "s3cret-passw0rd"  # noqa: S105 - of nothing


def everything_said(error: BaseException) -> str:
    """The message and those of all errors behind it."""
    return "".join(traceback.format_exception(error))


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://user:{SECRET}@host/db",
        f"postgresql+psycopg2://user:{SECRET}@host/db",
        f"postgresql://user:{SECRET}@host:port/db",
        f"postgresql://user:{SECRET}@host",
        f"user:{SECRET}@host",
        "sqlite:///ledger.db",
        "",
    ],
)
def test_a_url_that_is_none_of_ours_is_refused_without_showing_it(url: str) -> None:
    """Other databases, other drivers, no database, no port that is one."""
    with pytest.raises(BadInput, match=r"give postgresql://USER:PASSWORD@HOST:PORT/DATABASE") as caught:
        SQLLedger(url)
    assert SECRET not in everything_said(caught.value)


def test_a_missing_driver_is_one_error_that_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """psycopg is not installed everywhere."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MlopsError, match=r"pip install 'mlops-core\[postgresql\]'"):
        SQLLedger("postgresql://host/db")


def test_a_server_out_of_reach_is_named_without_the_password() -> None:
    """Nobody listens there: worth a retry."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for url in (
        f"postgresql://user:{SECRET}@127.0.0.1:{port}/db",
        f"postgresql://127.0.0.1:{port}/db?password={SECRET}&user=user",
    ):
        with pytest.raises(
            Unavailable, match=rf"the ledger at postgresql://127\.0\.0\.1:{port}/db: "
        ) as caught:
            SQLLedger(url).entries("churn")
        assert SECRET not in everything_said(caught.value)


@pytest.mark.live
def test_a_wrong_password_is_told_and_not_shown(postgres_server: PostgreSQLServer) -> None:
    """And a database that is not there is named."""
    url = postgres_server.url.replace("mlops@", f"nobody:{SECRET}@")
    with pytest.raises(Unavailable, match='role "nobody" does not exist') as caught:
        SQLLedger(url).names()
    assert SECRET not in everything_said(caught.value)
    with pytest.raises(Unavailable, match='database "nowhere" does not exist'):
        SQLLedger(postgres_server.url.replace("/postgres", "/nowhere")).names()


@pytest.mark.live
def test_reading_makes_no_table(database: Callable[..., str]) -> None:
    """Nor does an append that conflicts."""
    url = database()
    ledger = SQLLedger(url)
    assert ledger.entries("churn") == ()
    with pytest.raises(Conflict):
        ledger.append("churn", [registered(1)], after=3)
    with psycopg.connect(url) as server:
        assert server.execute("SELECT to_regclass('mlops_ledger')").fetchone() == (None,)


@pytest.mark.live
def test_one_that_waits_for_another_in_the_same_place_is_told(database: Callable[..., str]) -> None:
    """When the other, who began first, commits."""
    import threading

    url = database()
    ledger = SQLLedger(url)
    before = ledger.append("churn", [registered(1)], after=0)
    said: list[BaseException] = []

    def append() -> None:
        try:
            ledger.append("churn", [registered(2)], after=1)
        except Conflict as conflict:
            said.append(conflict)

    with psycopg.connect(url) as other:
        other.execute("INSERT INTO mlops_ledger VALUES ('churn', 2, 'x', 'x')")
        waiting = threading.Thread(target=append)
        waiting.start()
        with psycopg.connect(url, autocommit=True) as watching:
            waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            waits += "AND wait_event_type = 'Lock'"
            while watching.execute(waits).fetchone() != (1,):
                assert waiting.is_alive()
    waiting.join()
    assert [str(one) for one in said] == [
        "somebody else wrote to the ledger of 'churn' after entry 1 first: look again"
    ]
    with psycopg.connect(url) as server:
        server.execute("ALTER TABLE mlops_ledger DISABLE TRIGGER ALL")
        server.execute("DELETE FROM mlops_ledger WHERE number = 2")
    assert ledger.entries("churn") == before


@pytest.mark.live
def test_one_that_waits_for_another_gives_up(database: Callable[..., str]) -> None:
    """When the other neither commits nor ends: try again."""
    url = database()
    ledger = SQLLedger(url, patience=0.2)
    before = ledger.append("churn", [registered(1)], after=0)
    with psycopg.connect(url) as other:
        other.execute("INSERT INTO mlops_ledger VALUES ('churn', 2, 'x', 'x')")
        with pytest.raises(Unavailable, match="lock timeout") as caught:
            ledger.append("churn", [registered(2)], after=1)
        assert not isinstance(caught.value, Conflict)
        other.rollback()
    added = ledger.append("churn", [registered(2)], after=1)
    assert ledger.entries("churn") == before + added


@pytest.mark.live
def test_a_role_that_may_read_and_insert_is_enough(database: Callable[..., str]) -> None:
    """Once the table is there; less is refused with what is needed."""
    url = database()
    ledger = SQLLedger(url)
    before = ledger.append("churn", [registered(1)], after=0)
    role = url.rpartition("/")[2]
    with psycopg.connect(url) as server:
        server.execute(f"CREATE ROLE {role} LOGIN")
        server.execute(f"GRANT SELECT ON mlops_ledger TO {role}")
    less = SQLLedger(url.replace("mlops@", f"{role}@"))
    assert less.entries("churn") == before
    with pytest.raises(
        MlopsError, match=r"permission denied .* needs SELECT and INSERT on the table mlops_ledger"
    ):
        less.append("churn", [promoted(1)], after=1)
    with psycopg.connect(url) as server:
        server.execute(f"GRANT INSERT ON mlops_ledger TO {role}")
    added = less.append("churn", [promoted(1)], after=1)
    assert ledger.entries("churn") == before + added


@pytest.mark.live
def test_a_read_only_server_is_read(database: Callable[..., str]) -> None:
    """Such as a standby; an append is refused in its words."""
    url = database()
    before = SQLLedger(url).append("churn", [registered(1)], after=0)
    name = url.rpartition("/")[2]
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    ledger = SQLLedger(url)
    assert ledger.entries("churn") == before
    with pytest.raises(
        MlopsError, match=r"cannot execute INSERT in a read-only transaction.*Nothing was written"
    ):
        ledger.append("churn", [promoted(1)], after=1)
    assert ledger.entries("churn") == before


@pytest.mark.live
@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_another_encoding_keeps_texts_or_refuses_them(database: Callable[..., str], encoding: str) -> None:
    """What it cannot hold is refused whole; what it holds comes back as it was."""
    ledger = SQLLedger(database(f"--encoding={encoding}", "--locale=C", "--template=template0"))
    strange = registered(1, "日本語")
    if encoding == "LATIN1":
        with pytest.raises(MlopsError, match="LATIN1"):
            ledger.append("churn", [strange], after=0)
        assert ledger.entries("churn") == ()
    else:
        assert ledger.append("churn", [strange], after=0) == ledger.entries("churn")


@pytest.mark.live
def test_a_commit_is_durable_whatever_the_default(database: Callable[..., str]) -> None:
    """A server that is told to be lax by default is told otherwise for an append."""
    url = database()
    name = url.rpartition("/")[2]
    SQLLedger(url).append("churn", [registered(1)], after=0)
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
        server.execute(
            "CREATE FUNCTION strict() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "IF current_setting('synchronous_commit') <> 'on' THEN RAISE EXCEPTION 'lax'; END IF; "
            "RETURN NEW; END $$"
        )
        server.execute(
            "CREATE TRIGGER strict BEFORE INSERT ON mlops_ledger FOR EACH ROW EXECUTE FUNCTION strict()"
        )
    assert len(SQLLedger(url).append("churn", [promoted(1)], after=1)) == 1
