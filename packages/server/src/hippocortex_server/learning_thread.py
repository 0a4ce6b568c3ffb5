"""Learning in the calling thread: for a database in memory, which no other process sees."""

from __future__ import annotations

from collections.abc import Callable

from hippocortex_core.types import LearnOptions
from hippocortex_engine.engine import Engine
from hippocortex_engine.storage.database import Database


class LearningThread:
    """Learns for tenants of one database.

    Args:
        database: where they are kept; not closed here.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def __call__(self, tenant_id: str, renew: Callable[[], object]) -> None:
        """Learn what is new for a tenant.

        Raises:
            HippocortexError: it failed.
        """
        renew()
        Engine(self._database, tenant_id=tenant_id).learn(LearnOptions(scope="incremental"))

    def close(self) -> None:
        """Nothing to end: learning goes on to its end."""
