"""Handing the older events of a large tenant over to the database, in the background."""

from __future__ import annotations

import logging
import threading

from hippocortex_core.errors import HippocortexError
from hippocortex_engine.storage import tenants as tenant_store
from hippocortex_engine.storage.database import Database

_log = logging.getLogger("hippocortex")


class Archivist:
    """Takes events into the archive until no more than its limit are left for memory.

    Captures never wait for it, recall never depends on it: what is not in the archive yet stays
    in memory.
    """

    def __init__(self, database: Database, tenant_id: str) -> None:
        self._database = database
        self._tenant_id = tenant_id
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """Begin in a thread of its own, unless one is at it."""
        with self._lock:
            if self._closing.is_set() or (self._thread is not None and self._thread.is_alive()):
                return
            self._thread = threading.Thread(
                target=self._try_catch_up, name="hippocortex-archive", daemon=True
            )
            self._thread.start()

    def catch_up(self) -> None:
        """Take in everything that memory need not hold.

        Raises:
            UnavailableError: the database cannot answer.
        """
        archive = self._database.backend.archive
        if archive is None or not archive.is_ready:
            return
        with self._database.read() as connection:
            state = tenant_store.state(connection, self._tenant_id)
        floor = 0 if state is None else state.head - archive.limit
        more = floor > 0
        while more and not self._closing.is_set():
            with self._database.write() as connection:
                more = archive.advance(connection, self._tenant_id, floor)

    def close(self) -> None:
        """Stop after the transaction under way."""
        self._closing.set()
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.join()

    def _try_catch_up(self) -> None:
        try:
            self.catch_up()
        except HippocortexError as fault:  # memory holds them as long; the next call tries again
            _log.warning("older events could not be handed over to the database: %s", fault)
