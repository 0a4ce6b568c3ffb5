"""Opening a store for one command."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from hippocortex_engine.storage.database import Database


@contextmanager
def opened(url: str) -> Generator[Database]:
    """The database at a URL, open; its schema is brought up to date.

    Raises:
        ConfigurationError: the URL is not one.
        UnavailableError: the database does not answer, or is not one that this version can use.
    """
    database = Database(url)
    try:
        yield database
    finally:
        database.close()
