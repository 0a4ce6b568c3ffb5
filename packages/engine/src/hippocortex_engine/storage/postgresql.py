"""PostgreSQL: a pool of connections, one writer at a time for each tenant."""

from __future__ import annotations

import selectors
import time
from collections.abc import Generator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, create_engine, event, select
from sqlalchemy.exc import InvalidatePoolError

from hippocortex_core.errors import MissingExtraError, UnavailableError
from hippocortex_engine.storage import citus
from hippocortex_engine.storage.archive import PROPOSED, Archive
from hippocortex_engine.storage.backend import BUSY_SECONDS
from hippocortex_engine.storage.errors import (
    POSTGRESQL_MEANINGS,
    POSTGRESQL_STATES,
    UNKNOWN,
    first_match,
)
from hippocortex_engine.storage.prepared import Prepared
from hippocortex_engine.storage.schema import tenants
from hippocortex_engine.storage.target import Target, parse

POOL_PATIENCE = 10.0
"""Seconds that a call waits for a connection of the pool."""

CONNECT_PATIENCE = 5
"""Seconds that opening a connection may take, unless the URL says `connect_timeout=`."""

MIGRATION_LOCK = 0x68697070  # "hipp": one number that every process agrees on

_RESTED = 1.0  # seconds of rest after which a connection is tried before it is used

_STALLED = 120  # seconds after which a writer that does nothing loses its transaction

_CONNECTING = {"08", "28", "3D"}  # classes of SQLSTATE that libpq's message explains better

_DEFAULTS: dict[str, Any] = {
    "application_name": "hippocortex",
    "connect_timeout": CONNECT_PATIENCE,
    # A machine that has gone without a word is noticed in about half a minute.
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}

_LOCK_TENANT = Prepared(
    select(tenants.c.head).where(tenants.c.tenant_id == bindparam("tenant")).with_for_update()
)


class PostgresqlBackend:
    """A server that several machines may share.

    Whoever writes a tenant's data locks the tenant's row first, so writers of one tenant take
    turns, in every process, while those of others go on.
    """

    kind = "postgresql"

    def __init__(self, url: str) -> None:
        self._psycopg = _driver()
        target = parse(url)
        self.where = target.where
        self.raised: tuple[type[Exception], ...] = (self._psycopg.Error,)
        self.engine = self._create(target)
        self._archive = Archive(target.index_limit)
        self.archive: Archive | None = self._archive
        self.stores_at_once = True

    def inspect(self) -> None:
        """Look at what is there.

        Raises:
            UnavailableError: it cannot hold a memory.
        """
        with self.reading() as connection:
            row: Any = connection.exec_driver_sql(
                "SELECT current_setting('server_encoding'), to_regclass('alembic_version'),"
                " to_regclass('events'), to_regclass('tenants')"
            ).one()
            # A cluster would plan that one statement across its nodes.
            self.stores_at_once = not citus.is_present(connection)
            self._archive.look(connection)
        encoding, version, *tables = row
        if encoding != "UTF8":
            raise UnavailableError(
                f"{self.where}: its encoding is {encoding}; "
                "create it with: createdb --encoding=UTF8 --template=template0"
            )
        if version is None and any(tables):
            raise UnavailableError(
                f"{self.where}: holds tables of something else; use a database of its own, or a "
                "schema: ?options=-csearch_path%3Dhippocortex"
            )

    @contextmanager
    def reading(self) -> Generator[Connection]:
        """A snapshot of the data."""
        with self.engine.connect() as connection:
            self._begin(connection, "REPEATABLE_READ")
            with connection.begin():
                yield connection

    @contextmanager
    def writing(self, tenant_id: str | None) -> Generator[Connection]:
        """A transaction; with a tenant, no other writer of it comes in between."""
        with self.engine.connect() as connection:
            self._begin(connection, "READ_COMMITTED")
            with connection.begin():
                if tenant_id is not None:
                    _LOCK_TENANT.run(connection, {"tenant": tenant_id})
                yield connection

    @contextmanager
    def autocommitting(self) -> Generator[Connection]:
        """A connection on which every statement is a transaction."""
        with self.engine.connect() as connection:
            raw = self._begin(connection, "READ_COMMITTED")
            raw.autocommit = True
            try:
                yield connection
            finally:
                if not raw.closed:
                    raw.autocommit = False

    @contextmanager
    def migrating(self) -> Generator[Connection]:
        """A transaction that no other process's migration runs beside."""
        with self.writing(None) as connection:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
            yield connection

    def complete(self, connection: Connection) -> bool:
        """Index the archive if pgvector is there, distribute the tables if Citus is."""
        self._archive.prepare(connection)
        return citus.distribute(connection)

    def scrub(self) -> None:
        """Nothing: the room of deleted rows is PostgreSQL's to reuse (autovacuum)."""

    def meaning(self, failure: BaseException) -> str:
        """What PostgreSQL's code or libpq's message says to a user; never the values in it."""
        state = str(getattr(failure, "sqlstate", None) or "")
        if not state or state[:2] in _CONNECTING:
            return first_match(str(failure), POSTGRESQL_MEANINGS) or UNKNOWN
        known = POSTGRESQL_STATES.get(state)
        return known or f"{UNKNOWN} (SQLSTATE {state}); its log says more"

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    def after_fork(self) -> None:
        """In a child process: leave the parent's connections alone and open new ones."""
        self.engine.dispose(close=False)

    def _create(self, target: Target) -> Engine:
        # Whatever the database's encoding: psycopg reads text of SQL_ASCII as bytes otherwise.
        parameters = {**_DEFAULTS, **target.parameters, "client_encoding": "UTF8"}
        engine = create_engine(
            "postgresql+psycopg://",
            creator=lambda: self._psycopg.connect(**parameters),
            pool_size=target.pool_size,
            max_overflow=0,
            pool_timeout=POOL_PATIENCE,
            pool_use_lifo=True,
            hide_parameters=True,
        )
        event.listen(engine, "connect", _settle(target))
        event.listen(engine, "checkout", _try_first(engine))
        event.listen(engine, "checkin", _note_rest)
        return engine

    def _begin(self, connection: Connection, isolation: str) -> Any:
        """Settle how the next transaction will be; the driver's connection."""
        # psycopg says it together with BEGIN: no round trip of its own.
        raw: Any = connection.connection.driver_connection
        level = self._psycopg.IsolationLevel[isolation]
        if raw.isolation_level != level:
            raw.isolation_level = level
            raw.read_only = isolation == "REPEATABLE_READ"
        return raw


def _driver() -> ModuleType:
    try:
        import psycopg  # noqa: PLC0415 - only who uses PostgreSQL needs it
    except ImportError as missing:
        raise MissingExtraError(
            "PostgreSQL needs its driver: pip install 'hippocortex-engine[postgresql]'"
        ) from missing
    return psycopg


def _settle(target: Target) -> Any:
    """What every new connection is told."""
    chosen = str(target.parameters.get("options", ""))
    settings = {
        "lock_timeout": int(BUSY_SECONDS * 1000),
        "idle_in_transaction_session_timeout": _STALLED * 1000,
        # pgvector: look at enough of the graph, and go on where a filter has left too few.
        "hnsw.ef_search": 2 * PROPOSED,
        "hnsw.iterative_scan": "strict_order",
    }
    said = "; ".join(
        f"SET {name} = {value}" for name, value in settings.items() if name not in chosen
    )

    def on_connect(connection: Any, _record: object) -> None:
        connection.execute(said)
        connection.commit()

    return on_connect


def _note_rest(_connection: object, record: Any) -> None:
    record.info["rests_since"] = time.monotonic()


def _try_first(engine: Engine) -> Any:
    """Try a connection that may be gone: the server may have been restarted meanwhile."""

    def on_checkout(connection: Any, record: Any, _proxy: object) -> None:
        since = record.info.get("rests_since")
        if since is None:
            return
        if time.monotonic() - since < _RESTED and not _has_news(connection.pgconn.socket):
            return
        try:
            engine.dialect.do_ping(connection)
        except Exception as failure:
            raise InvalidatePoolError from failure

    return on_checkout


_Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)


def _has_news(socket: int) -> bool:
    """Whether the server has said something unasked; a good-bye, most likely."""
    with _Selector() as selector:
        selector.register(socket, selectors.EVENT_READ)
        return bool(selector.select(0))
