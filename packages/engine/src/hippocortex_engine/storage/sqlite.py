"""SQLite: one file, many readers, one writer at a time."""

from __future__ import annotations

import os
import re
import sqlite3
import threading
import time
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.pool import StaticPool

from hippocortex_core.errors import ConfigurationError, UnavailableError
from hippocortex_engine.storage.archive import Archive
from hippocortex_engine.storage.backend import BUSY_SECONDS
from hippocortex_engine.storage.errors import SQLITE_MEANINGS, UNKNOWN, first_match
from hippocortex_engine.storage.revision import HEAD_REVISION, newer

_WRITER_CACHE = 32_000  # kB: the upper pages of four indexes

_READER_CACHE = 4_000  # kB, of every thread that reads; beyond, the system's cache serves

_POLLS = (0.0005, 0.005)
"""Seconds between a writer's looks at whether another process has finished: the first, the longest.

SQLite's own waiting sleeps up to 100 ms, long after a transaction of a few has ended."""

_CHECKPOINT_PATIENCE = 250  # milliseconds that a checkpoint waits for readers


class SqliteBackend:
    """A file in WAL mode, so that readers never wait for a writer.

    With `synchronous=normal` (default) a committed transaction survives a crash of the process;
    `?synchronous=full` in the URL makes it survive a power cut too, at the price of an fsync for
    every commit.
    """

    kind = "sqlite"
    raised: tuple[type[Exception], ...] = (sqlite3.Error,)  # BEGIN is said to the bare driver
    archive: Archive | None = None
    stores_at_once = False

    def __init__(self, url: str) -> None:
        self._url = _checked(url)
        self.where = str(self._url.database or ":memory:")
        self._write_lock = threading.RLock()
        self._writer: Connection | None = None
        self._wants_checkpoint = False
        self._patience = BUSY_SECONDS
        self.engine = _create(self._url)
        event.listen(self.engine, "begin", self._begin)
        self._shared = isinstance(self.engine.pool, StaticPool)

    def inspect(self) -> None:
        """Look at an existing file without touching it, and prepare a new one.

        Raises:
            UnavailableError: the file is not a memory that this version can use.
        """
        if not self._shared:
            path = Path(str(self._url.database))
            _inspect(path, self.where)
            _prepare(path)

    @contextmanager
    def reading(self) -> Generator[Connection]:
        """A snapshot of the data."""
        # A database in memory is one connection, so even readers take turns.
        turn = self._write_lock if self._shared else nullcontext()
        with turn, self.engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self, tenant_id: str | None) -> Generator[Connection]:  # noqa: ARG002
        """A transaction that holds the right to write from its start, for any tenant."""
        with self._write_lock:
            connection = self._writer or self._open_writer()
            try:
                with connection.begin():
                    yield connection
            except BaseException:
                # Whatever went wrong, the next writer starts with a connection that works.
                self._drop_writer()
                raise
        self._try_checkpoint()

    def autocommitting(self) -> AbstractContextManager[Connection]:
        """A transaction like any other: there is no round trip to save."""
        return self.writing(None)

    def migrating(self) -> AbstractContextManager[Connection]:
        """As `writing`: whoever writes is alone."""
        return self.writing(None)

    def complete(self, connection: Connection) -> bool:  # noqa: ARG002
        """Nothing to do: a file is no cluster."""
        return False

    def scrub(self) -> None:
        """Move the write-ahead log into the file and empty it.

        Until then what was deleted may still stand in the log.  While another process reads, its
        part of the log must stay; it is tried again after every write and on closing.
        """
        self._wants_checkpoint = True
        self._try_checkpoint()

    def meaning(self, failure: BaseException) -> str:
        """What SQLite's message says to a user."""
        said = str(failure)
        return first_match(said, SQLITE_MEANINGS) or (said.splitlines() or [UNKNOWN])[0]

    def close(self) -> None:
        """Close every connection."""
        self._try_checkpoint()
        with self._write_lock:
            self._drop_writer()
            self.engine.dispose()

    def after_fork(self) -> None:
        """In a child process: leave the parent's connections alone and open new ones."""
        self._write_lock = threading.RLock()
        if self._shared:
            return  # a database in memory is the child's own copy, connection and all
        # Not closed, only let go: closing would end the parent's transactions.
        _abandoned.append(self._writer)
        self._writer = None
        self.engine.dispose(close=False)

    def busy_timeout(self, milliseconds: int) -> None:
        """How long this process's writer waits for another process's transaction."""
        self._patience = milliseconds / 1000

    def _begin(self, connection: Connection) -> None:
        # The driver's own transaction handling begins late and cannot take the write lock at once;
        # a reader that becomes a writer half-way is what "database is locked" is made of.
        if connection.get_execution_options().get("hippocortex_write", False):
            _begin_writing(_raw(connection), self._patience)
        else:
            _raw(connection).execute("BEGIN")

    def _try_checkpoint(self) -> None:
        if not self._wants_checkpoint:
            return
        with self.engine.connect() as connection:
            raw = _raw(connection)
            raw.execute(f"PRAGMA busy_timeout={_CHECKPOINT_PATIENCE}")
            try:
                (busy, *_) = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            except sqlite3.OperationalError:  # somebody writes; the next write tries again
                busy = 1
            finally:
                raw.execute(f"PRAGMA busy_timeout={int(BUSY_SECONDS * 1000)}")
            self._wants_checkpoint = bool(busy)

    def _open_writer(self) -> Connection:
        # Kept open between transactions: checking a connection in and out of the pool costs as
        # much as storing an event.
        writer = self.engine.connect().execution_options(hippocortex_write=True)
        _raw(writer).execute(f"PRAGMA cache_size=-{_WRITER_CACHE}")
        _raw(writer).execute("PRAGMA busy_timeout=0")  # `_begin` waits
        self._writer = writer
        return writer

    def _drop_writer(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()


_abandoned: list[Connection | None] = []


def _checked(url: str) -> URL:
    """The URL taken apart; what follows `sqlite:///` is a path as it stands, `%` included."""
    match = re.fullmatch(r"sqlite://(?:/(.*?))?(?:\?synchronous=(\w*))?", url, re.DOTALL)
    if match is None:
        raise ConfigurationError("not a database URL; use sqlite:///path")
    path, synchronous = match.groups()
    query = {} if synchronous is None else {"synchronous": synchronous}
    return URL.create("sqlite", database=path or None, query=query)


def _create(url: URL) -> Engine:
    query = dict(url.query)
    synchronous = str(query.pop("synchronous", "normal")).upper()
    if synchronous not in {"NORMAL", "FULL"}:
        raise ConfigurationError(f"synchronous must be normal or full, not {synchronous.lower()!r}")
    memory = not url.database or url.database == ":memory:"
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
            f"cache_size=-{_READER_CACHE}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    return on_connect


def _begin_writing(raw: sqlite3.Connection, patience: float) -> None:
    """Take the write lock, as soon as no other process has it."""
    end = time.monotonic() + patience
    pause, longest = _POLLS
    while True:
        try:
            raw.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as failure:  # noqa: PERF203 - it is what the loop is for
            if "locked" not in str(failure) or time.monotonic() >= end:
                raise
            time.sleep(pause)
            pause = min(longest, pause * 1.5)
        else:
            return


def _raw(connection: Connection) -> sqlite3.Connection:
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    return raw


def _inspect(path: Path, where: str) -> None:
    """Look at an existing file without touching it; raise if it is not a memory we can use."""
    if not path.exists() or path.stat().st_size == 0:
        return
    if path.is_dir():
        raise UnavailableError(f"{where}: is a folder; name a file in it")
    try:
        tables, found = _contents(path)
    except sqlite3.DatabaseError as failure:
        raise UnavailableError(
            f"{where}: the file is not a database, or it is damaged ({failure}); "
            "move it away to start anew, or restore it from an export"
        ) from failure
    if tables and not {"events", "tenants"} <= tables:
        raise UnavailableError(f"{where}: is a database of something else; choose another file")
    if found and str(found[0]) > HEAD_REVISION:
        raise UnavailableError(newer(where, str(found[0])))


def _contents(path: Path) -> tuple[set[str], Any]:
    """The names of a file's tables, and the row that holds its revision."""
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    try:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
        if "alembic_version" not in tables:
            return tables, None
        return tables, connection.execute("SELECT version_num FROM alembic_version").fetchone()
    finally:
        connection.close()
