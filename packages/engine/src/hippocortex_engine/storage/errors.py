"""What a database's failures mean to a caller: one clear line, and the fix where there is one."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from hippocortex_core.errors import UnavailableError

_MEANINGS = (
    ("full", "the disk is full; free some space and try again"),
    ("locked", "another process has held the database for too long; try again"),
    ("busy", "another process has held the database for too long; try again"),
    ("readonly", "the database cannot be written; check the permissions of its folder"),
    ("read-only", "the database cannot be written; check the permissions of its folder"),
    ("unable to open", "the database cannot be opened; check that its folder is writable"),
    ("not a database", "the file is not a database, or it is damaged; restore it from an export"),
    ("malformed", "the database is damaged; restore it from an export"),
    ("disk i/o error", "the disk reports an error; check the file system"),
    ("no such table", "the database is incomplete; restore it from an export"),
)


@contextmanager
def translated(where: str) -> Generator[None]:
    """Turn whatever the database raises into an `UnavailableError` that says what to do."""
    try:
        yield
    except DBAPIError as failure:
        raise UnavailableError(f"{where}: {_meaning(str(failure.orig))}") from failure
    except sqlite3.Error as failure:  # a transaction is begun on the bare driver
        raise UnavailableError(f"{where}: {_meaning(str(failure))}") from failure
    except OSError as failure:
        said = failure.strerror or "the file system failed"
        raise UnavailableError(f"{where}: {said}") from failure
    except (SQLAlchemyError, PoolTimeoutError) as failure:
        raise UnavailableError(f"{where}: {type(failure).__name__}") from failure


def _meaning(said: str) -> str:
    lowered = said.lower()
    for sign, meaning in _MEANINGS:
        if sign in lowered:
            return meaning
    return said.splitlines()[0] if said else "the database failed"
