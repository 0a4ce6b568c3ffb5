"""Opening a database and using it: transactions, failures in plain words, forks."""

from __future__ import annotations

import os
import weakref
from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy import Connection

from hippocortex_engine.storage import migrating
from hippocortex_engine.storage.errors import translated
from hippocortex_engine.storage.gate import Gate
from hippocortex_engine.storage.kinds import backend_of
from hippocortex_engine.storage.revision import HEAD_REVISION

__all__ = ["HEAD_REVISION", "Database"]

_FORK_PATIENCE = 1.0  # seconds that a fork waits for calls under way


class Database:
    """Connections to one database, and the schema in it, which opening brings up to date.

    Args:
        url: `sqlite:///path?synchronous=full` or
            `postgresql://user:password@host:5432/database?pool_size=10`.

    Raises:
        ConfigurationError: the URL is not one.
        MissingExtraError: the driver is not installed.
        UnavailableError: the database does not answer, is damaged, of a newer version or not
            ours; it is left untouched.
    """

    def __init__(self, url: str) -> None:
        self.backend = backend_of(url)
        self.where = self.backend.where
        self.gate = Gate()
        try:
            with translated(self.backend):
                self._prepare()
        except BaseException:
            self.backend.close()
            raise
        _open.add(self)

    def _prepare(self) -> None:
        self.backend.inspect()
        with self.backend.reading() as connection:
            found = migrating.revision(connection)
        if found != HEAD_REVISION:
            migrating.upgrade(self.backend)

    @property
    def kind(self) -> str:
        """The database's name, such as "sqlite"."""
        return self.backend.kind

    @contextmanager
    def read(self) -> Generator[Connection]:
        """One state of the data, whatever others write meanwhile."""
        with self.gate.passing(), translated(self.backend), self.backend.reading() as connection:
            yield connection

    @contextmanager
    def write(self, tenant_id: str | None = None) -> Generator[Connection]:
        """A transaction; committed at the end, undone by an exception.

        Args:
            tenant_id: whose data is written: nobody else writes it at the same time, so what was
                read in the transaction still holds.  None: no such promise, except on SQLite.
        """
        backend = self.backend
        with self.gate.passing(), translated(backend), backend.writing(tenant_id) as connection:
            yield connection

    @contextmanager
    def at_once(self) -> Generator[Connection]:
        """A connection on which every statement is a transaction."""
        backend = self.backend
        with self.gate.passing(), translated(backend), backend.autocommitting() as connection:
            yield connection

    def scrub(self) -> None:
        """What was deleted is gone from the files too, as far as the database can do that."""
        with self.gate.passing(), translated(self.backend):
            self.backend.scrub()

    def close(self) -> None:
        """Close every connection."""
        with translated(self.backend):
            self.backend.close()

    def after_fork(self) -> None:
        """In a child process: leave the parent's connections alone and open new ones."""
        self.gate = Gate()
        self.backend.after_fork()


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
