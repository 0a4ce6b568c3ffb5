"""Bringing a database's schema up to date."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect

from hippocortex_core.errors import UnavailableError
from hippocortex_engine.storage.backend import Backend
from hippocortex_engine.storage.errors import translated
from hippocortex_engine.storage.kinds import backend_of
from hippocortex_engine.storage.revision import HEAD_REVISION, newer

if TYPE_CHECKING:
    from alembic.config import Config

_MIGRATIONS = Path(__file__).parent / "migrations"
_VERSIONS = "alembic_version"

_alembic = [threading.Lock()]
"""Alembic keeps what it works on in a module: one migration at a time in a process."""


def _renew_lock() -> None:
    _alembic[0] = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


@dataclass(frozen=True, slots=True)
class Migrated:
    """What a migration found and left.

    Attributes:
        before: the revision it started from; None: the database was empty.
        after: the revision now.
        citus: whether the tables are distributed over the nodes of a Citus cluster.
    """

    before: str | None
    after: str
    citus: bool


def migrate(url: str) -> Migrated:
    """Bring the database at a URL up to date, and distribute it where it is a cluster.

    Raises:
        ConfigurationError: the URL is not one.
        UnavailableError: the database does not answer, or a newer version has migrated it.
    """
    backend = backend_of(url)
    with translated(backend):
        try:
            backend.inspect()
            return upgrade(backend)
        finally:
            backend.close()


def revision(connection: Connection) -> str | None:
    """The schema's revision; None for an empty database."""
    if not inspect(connection).has_table(_VERSIONS):
        return None
    row = connection.exec_driver_sql(f"SELECT version_num FROM {_VERSIONS}").first()
    return None if row is None else str(row[0])


def upgrade(backend: Backend) -> Migrated:
    """Run the migrations that the database lacks; processes that do so at once take turns.

    Raises:
        UnavailableError: a newer version has migrated it.
    """
    with backend.migrating() as connection:
        before = revision(connection)
        if before != HEAD_REVISION:
            _run(backend, connection, before)
    with backend.migrating() as connection:
        is_cluster = backend.complete(connection)
    return Migrated(before, HEAD_REVISION, citus=is_cluster)


def _run(backend: Backend, connection: Connection, before: str | None) -> None:
    # Alembic takes as long to import as everything else together; a database that is up to
    # date does not need it.
    from alembic import command  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = _config()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if before is not None and before not in known:
        raise UnavailableError(newer(backend.where, before))
    config.attributes["connection"] = connection
    with _alembic[0]:
        command.upgrade(config, "head")


def _config() -> Config:
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config
