"""Opening a database: connections, durability, migrations, and refusing what is not ours."""

from __future__ import annotations

import os
import re
import sqlite3
import threading
import weakref
from collections.abc import Generator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool

from hippocortex_core.errors import ConfigurationError, UnavailableError
from hippocortex_engine.storage.errors import translated
from hippocortex_engine.storage.gate import Gate

HEAD_REVISION = "0001"
"""The schema this code reads and writes."""

BUSY_SECONDS = 30.0
"""How long a writer waits for another process's transaction."""

_CHECKPOINT_PATIENCE = 250  # milliseconds that a checkpoint waits for readers

_FORK_PATIENCE = 1.0  # seconds that a fork waits for calls under way

_MIGRATIONS = Path(__file__).parent / "migrations"


class Database:
    """Connections to one database, and the schema in it.

    SQLite runs in WAL mode, so that readers never wait for a writer.  With `synchronous=normal`
    (default) a committed transaction survives a crash of the process; `?synchronous=full` in the
    URL makes it survive a power cut too, at the price of an fsync for every commit.
    """

    def __init__(self, url: str) -> None:
        self.url = _checked_url(url)
        self.where = _shown(self.url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.gate = Gate()
        self._write_lock = threading.RLock()
        self._writer: Connection | None = None
        self._wants_checkpoint = False
        with translated(self.where):
            if self.is_sqlite:
                _inspect_sqlite(self.url, self.where)
            self.engine = _create(self.url)
            self._shared = isinstance(self.engine.pool, StaticPool)
            self._migrate()
        _open.add(self)

    @contextmanager
    def read(self) -> Generator[Connection]:
        """A consistent view of the data."""
        # A database in memory is one connection, so even readers take turns.
        turn = self._write_lock if self._shared else nullcontext()
        with self.gate.passing(), translated(self.where), turn, self.engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Generator[Connection]:
        """A transaction that holds the right to write from its start; committed at the end."""
        with self.gate.passing(), translated(self.where), self._write_lock:
            connection = self._writer or self._open_writer()
            try:
                with connection.begin():
                    yield connection
            except BaseException:
                # Whatever went wrong, the next writer starts with a connection that works.
                self._drop_writer()
                raise
        self._try_checkpoint()

    @contextmanager
    def exclusive(self) -> Generator[None]:
        """Keep this process's writers out, without a transaction."""
        with self._write_lock:
            yield

    @property
    def kind(self) -> str:
        """The database's name, such as "sqlite"."""
        return self.url.get_backend_name()

    def busy_timeout(self, milliseconds: int) -> None:
        """How long this process's writer waits for another process's transaction."""
        with translated(self.where), self._write_lock:
            writer = self._writer or self._open_writer()
            raw = writer.connection.driver_connection
            assert isinstance(raw, sqlite3.Connection)
            raw.execute(f"PRAGMA busy_timeout={milliseconds}")

    def checkpoint(self) -> None:
        """Move the write-ahead log into the file and empty it.

        Until then what was deleted may still stand in the log.  While another process reads, its
        part of the log must stay; it is tried again after every write and on closing.
        """
        self._wants_checkpoint = True
        self._try_checkpoint()

    def _try_checkpoint(self) -> None:
        if not self._wants_checkpoint:
            return
        gate, engine = self.gate.passing(), self.engine
        with gate, translated(self.where), engine.connect() as connection:
            raw = connection.connection.driver_connection
            assert isinstance(raw, sqlite3.Connection)
            raw.execute(f"PRAGMA busy_timeout={_CHECKPOINT_PATIENCE}")
            try:
                (busy, *_) = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            except sqlite3.OperationalError:  # somebody writes; the next write tries again
                busy = 1
            finally:
                raw.execute(f"PRAGMA busy_timeout={int(BUSY_SECONDS * 1000)}")
            self._wants_checkpoint = bool(busy)

    def close(self) -> None:
        """Close every connection."""
        self._try_checkpoint()
        with self._write_lock:
            self._drop_writer()
            self.engine.dispose()

    def after_fork(self) -> None:
        """In a child process: leave the parent's connections alone and open new ones."""
        self.gate = Gate()
        self._write_lock = threading.RLock()
        if self._shared:
            return  # a database in memory is the child's own copy, connection and all
        # Not closed, only let go: closing would end the parent's transactions.
        _abandoned.append(self._writer)
        self._writer = None
        self.engine.dispose(close=False)

    def _open_writer(self) -> Connection:
        # Kept open between transactions: checking a connection in and out of the pool costs as
        # much as storing an event.
        writer = self.engine.connect().execution_options(hippocortex_write=True)
        self._writer = writer
        return writer

    def _drop_writer(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

    def _migrate(self) -> None:
        found = _revision(self.engine)
        if found == HEAD_REVISION:
            return
        # Alembic takes as long to import as everything else together; a database that is up to
        # date does not need it.
        from alembic import command  # noqa: PLC0415
        from alembic.config import Config  # noqa: PLC0415
        from alembic.script import ScriptDirectory  # noqa: PLC0415

        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        if found is not None and found not in known:
            raise UnavailableError(_newer(self.where, found))
        with self.write() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def _checked_url(url: str) -> URL:
    """The URL taken apart; what follows `sqlite:///` is a path as it stands, `%` included."""
    if not isinstance(url, str) or not url.startswith("sqlite:"):  # pyright: ignore[reportUnnecessaryIsInstance]
        kind = str(url).partition(":")[0]
        raise ConfigurationError(
            f"the engine stores in SQLite (sqlite:///path); {kind!r} is not supported"
        )
    match = re.fullmatch(r"sqlite://(?:/(.*?))?(?:\?synchronous=(\w*))?", url, re.DOTALL)
    if match is None:
        raise ConfigurationError("not a database URL; use sqlite:///path")
    path, synchronous = match.groups()
    query = {} if synchronous is None else {"synchronous": synchronous}
    return URL.create("sqlite", database=path or None, query=query)


def _shown(url: URL) -> str:
    return str(url.database or ":memory:")


def _create(url: URL) -> Engine:
    query = dict(url.query)
    synchronous = str(query.pop("synchronous", "normal")).upper()
    if synchronous not in {"NORMAL", "FULL"}:
        raise ConfigurationError(f"synchronous must be normal or full, not {synchronous.lower()!r}")
    memory = not url.database or url.database == ":memory:"
    if not memory:
        _prepare(Path(str(url.database)))
    options: dict[str, Any] = {"poolclass": StaticPool} if memory else {"pool_size": 8}
    engine = create_engine(
        url.set(query=query),
        connect_args={
            "timeout": BUSY_SECONDS,
            "check_same_thread": False,
            "isolation_level": None,
            "cached_statements": 256,
        },
        **options,
    )
    event.listen(engine, "connect", _pragmas(synchronous))
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(path: Path) -> None:
    """Make the folder and an empty file that only its owner may read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _pragmas(synchronous: str) -> Any:
    def on_connect(connection: sqlite3.Connection, _record: object) -> None:
        for pragma in (
            "journal_mode=WAL",
            f"synchronous={synchronous}",
            "secure_delete=ON",  # what is forgotten is overwritten
            "wal_autocheckpoint=4000",  # every 16 MB: a checkpoint costs as much as many commits
            "temp_store=MEMORY",
            "cache_size=-32000",
        ):
            connection.execute(f"PRAGMA {pragma}")

    return on_connect


def _begin(connection: Connection) -> None:
    # The driver's own transaction handling begins late and cannot take the write lock at once;
    # a reader that becomes a writer half-way is what "database is locked" is made of.
    write = connection.get_execution_options().get("hippocortex_write", False)
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    raw.execute("BEGIN IMMEDIATE" if write else "BEGIN")


def _inspect_sqlite(url: URL, where: str) -> None:
    """Look at an existing file without touching it; raise if it is not a memory we can use."""
    path = Path(url.database or ":memory:")
    if str(path) == ":memory:" or not path.exists() or path.stat().st_size == 0:
        return
    if path.is_dir():
        raise UnavailableError(f"{where}: is a folder; name a file in it")
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        try:
            tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
            found = (
                connection.execute("SELECT version_num FROM alembic_version").fetchone()
                if "alembic_version" in tables
                else None
            )
        finally:
            connection.close()
    except sqlite3.DatabaseError as failure:
        raise UnavailableError(
            f"{where}: the file is not a database, or it is damaged ({failure}); "
            "move it away to start anew, or restore it from an export"
        ) from failure
    if tables and not {"events", "tenants"} <= tables:
        raise UnavailableError(f"{where}: is a database of something else; choose another file")
    if found and str(found[0]) > HEAD_REVISION:
        raise UnavailableError(_newer(where, str(found[0])))


def _newer(where: str, revision: str) -> str:
    return (
        f"{where}: was written by a newer Hippocortex (schema {revision}, this one knows "
        f"{HEAD_REVISION}); upgrade with: pip install --upgrade hippocortex-engine"
    )


def _revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        try:
            row = connection.execute(text("SELECT version_num FROM alembic_version")).first()
        except SQLAlchemyError as failure:
            if "no such table" in str(failure):
                return None
            raise
        return None if row is None else str(row[0])


_abandoned: list[Connection | None] = []
_open: weakref.WeakSet[Database] = weakref.WeakSet()


def _before_fork() -> None:
    for database in list(_open):
        database.gate.shut(_FORK_PATIENCE)


def _after_fork_in_parent() -> None:
    for database in list(_open):
        database.gate.reopen()


def _after_fork_in_child() -> None:
    for database in list(_open):
        database.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )
