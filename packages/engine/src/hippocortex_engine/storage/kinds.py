"""The kinds of databases, by how their URLs begin."""

from __future__ import annotations

from collections.abc import Callable

from hippocortex_core.errors import ConfigurationError
from hippocortex_engine.storage.backend import Backend
from hippocortex_engine.storage.postgresql import PostgresqlBackend
from hippocortex_engine.storage.sqlite import SqliteBackend

_KINDS: dict[str, Callable[[str], Backend]] = {
    "sqlite": SqliteBackend,
    "postgresql": PostgresqlBackend,
    "postgres": PostgresqlBackend,
    "postgresql+psycopg": PostgresqlBackend,
}


def backend_of(url: str) -> Backend:
    """What talks to the database at a URL; nothing is opened yet.

    Raises:
        ConfigurationError: the URL is not one.
        MissingExtraError: the driver is not installed.
    """
    kind, colon, _ = str(url).partition(":")
    make = _KINDS.get(kind.lower()) if colon else None
    if make is None:
        raise ConfigurationError(
            "the engine stores in SQLite (sqlite:///path) or PostgreSQL "
            f"(postgresql://host/database); {kind!r:.40} is not supported"
        )
    return make(url)
