"""What each kind of database does in its own way; `Database` is the same for all of them."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from sqlalchemy import Connection, Engine

from hippocortex_engine.storage.archive import Archive

BUSY_SECONDS = 30.0
"""How long a writer waits for somebody else's transaction."""


class Backend(Protocol):
    """Connections to one database.

    Attributes:
        kind: the database's name, such as "sqlite".
        where: which one it is, for messages; without secrets.
        engine: SQLAlchemy's engine.
        raised: what the bare driver raises; SQLAlchemy's errors come on top.
        archive: finds older events of large tenants; None: all are searched in memory.
        stores_at_once: whether a round trip is worth saving, and `autocommitting` saves it.
    """

    kind: str
    where: str
    engine: Engine
    raised: tuple[type[Exception], ...]
    archive: Archive | None
    stores_at_once: bool

    def inspect(self) -> None:
        """Look at what is there before anything is changed.

        Raises:
            UnavailableError: it is not a memory that this version can use.
        """
        ...

    def reading(self) -> AbstractContextManager[Connection]:
        """A transaction that sees one state of the data throughout."""
        ...

    def writing(self, tenant_id: str | None) -> AbstractContextManager[Connection]:
        """A transaction that may write; no other may write the tenant's data beside it."""
        ...

    def autocommitting(self) -> AbstractContextManager[Connection]:
        """A connection on which every statement is a transaction."""
        ...

    def migrating(self) -> AbstractContextManager[Connection]:
        """A transaction that may change the schema; no other process does at the same time."""
        ...

    def complete(self, connection: Connection) -> bool:
        """After a migration: what depends on the server; whether it is a cluster of Citus."""
        ...

    def scrub(self) -> None:
        """What was deleted is gone from the files too, as far as the database can do that."""
        ...

    def meaning(self, failure: BaseException) -> str:
        """What a failure of the driver means, in one line without data."""
        ...

    def close(self) -> None:
        """Close every connection."""
        ...

    def after_fork(self) -> None:
        """In a child process: leave the parent's connections alone and open new ones."""
        ...
