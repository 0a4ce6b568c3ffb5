"""What a database's failures mean to a caller: one clear line, and the fix where there is one."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from hippocortex_core.errors import UnavailableError
from hippocortex_engine.storage.backend import Backend

_BUSY = "another process has held the database for too long; try again"
_READ_ONLY = "the database cannot be written; check the permissions of its folder"

SQLITE_MEANINGS = (
    ("full", "the disk is full; free some space and try again"),
    ("locked", _BUSY),
    ("busy", _BUSY),
    ("readonly", _READ_ONLY),
    ("read-only", _READ_ONLY),
    ("unable to open", "the database cannot be opened; check that its folder is writable"),
    ("not a database", "the file is not a database, or it is damaged; restore it from an export"),
    ("malformed", "the database is damaged; restore it from an export"),
    ("disk i/o error", "the disk reports an error; check the file system"),
    ("no such table", "the database is incomplete; restore it from an export"),
)
"""What a message of SQLite holds, and what that means."""

_TRY_AGAIN = "two writers got in each other's way; try again"
_NO_HOST = "the host of PostgreSQL is not known; check it in the URL"
_STOPPED = "PostgreSQL has been stopped or restarted; try again when it runs"

POSTGRESQL_STATES = {
    "40001": _TRY_AGAIN,
    "40P01": _TRY_AGAIN,
    "55P03": _BUSY,
    "25P03": "the process stood still for too long in the middle of a write; try again",
    "57014": "PostgreSQL gave up on a statement that took too long; try again",
    "53100": "the disk of PostgreSQL is full; free some space and try again",
    "53200": "PostgreSQL is out of memory; try again",
    "53300": "PostgreSQL has no connection left; lower pool_size in the URL or raise its "
    "max_connections",
    "25006": "PostgreSQL is read-only; name the primary in the URL, not a standby",
    "42501": "PostgreSQL does not permit this to the user; grant it all rights on the schema",
    "42P01": "the schema is incomplete; run: hippocortex migrate",
    "42703": "the schema is incomplete; run: hippocortex migrate",
    "57P01": _STOPPED,
    "57P02": _STOPPED,
    "57P03": _STOPPED,
    "58030": "the disk of PostgreSQL reports an error; check its log",
    "XX001": "the database is damaged; restore it from a backup",
    "XX002": "the database is damaged; restore it from a backup",
}
"""SQLSTATE, and what it means."""

POSTGRESQL_MEANINGS = (
    ("password", "PostgreSQL refuses the user or the password; check them in the URL"),
    ("authentication", "PostgreSQL refuses the user or the password; check them in the URL"),
    ("role", "PostgreSQL does not know the user; check it in the URL"),
    ("pg_hba", "PostgreSQL does not let this machine in; add it to its pg_hba.conf"),
    ("does not exist", "there is no such database; create it with: createdb"),
    ("too many", POSTGRESQL_STATES["53300"]),
    ("remaining connection slots", POSTGRESQL_STATES["53300"]),
    ("starting up", _STOPPED),
    ("shutting down", _STOPPED),
    ("recovery", _STOPPED),
    ("translate host name", _NO_HOST),
    ("resolve host", _NO_HOST),
    ("name resolution", _NO_HOST),  # psycopg before 3.3 says what the system says
    ("name or service not known", _NO_HOST),
    ("getaddrinfo", _NO_HOST),
    ("nodename nor servname", _NO_HOST),
    ("certificate", "the connection to PostgreSQL cannot be secured; check sslmode in the URL"),
    ("ssl", "the connection to PostgreSQL cannot be secured; check sslmode in the URL"),
    ("timeout", "PostgreSQL does not answer; check that it runs at the URL's host and port"),
    ("refused", "PostgreSQL does not answer; check that it runs at the URL's host and port"),
    ("no such file", "PostgreSQL does not answer; check that it runs at the URL's host and port"),
    ("connection", _STOPPED),
)
"""What a message about a connection holds, and what that means."""

UNKNOWN = "the database failed"


@contextmanager
def translated(backend: Backend) -> Generator[None]:
    """Turn whatever the database raises into an `UnavailableError` that says what to do."""
    try:
        yield
    except DBAPIError as failure:
        raise _unavailable(backend, backend.meaning(failure.orig or failure)) from failure
    except backend.raised as failure:
        raise _unavailable(backend, backend.meaning(failure)) from failure
    except OSError as failure:
        raise _unavailable(backend, failure.strerror or "the file system failed") from failure
    except PoolTimeoutError as failure:
        said = "every connection is in use; try again, or raise pool_size in the URL"
        raise _unavailable(backend, said) from failure
    except SQLAlchemyError as failure:
        raise _unavailable(backend, type(failure).__name__) from failure


def first_match(said: str, meanings: tuple[tuple[str, str], ...]) -> str | None:
    """The meaning of the first sign that a message holds."""
    lowered = said.lower()
    return next((meaning for sign, meaning in meanings if sign in lowered), None)


def _unavailable(backend: Backend, said: str) -> UnavailableError:
    return UnavailableError(f"{backend.where}: {said}")
