"""The memories of many tenants in one database, as a server holds them."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict

from hippocortex_core.errors import HippocortexError, UnavailableError
from hippocortex_core.validation import check_id
from hippocortex_engine.clock import Clock, system_clock
from hippocortex_engine.embeddings.base import Embedder
from hippocortex_engine.embeddings.static import StaticEmbedder
from hippocortex_engine.engine import Engine
from hippocortex_engine.forking import renew_after_fork
from hippocortex_engine.recall.room import MOST_ROWS, Room
from hippocortex_engine.storage.database import Database
from hippocortex_engine.tokens import TokenCounter

_log = logging.getLogger("hippocortex")

MOST_ENGINES = 2_000
"""Tenants whose engines are kept at hand."""

METER_SECONDS = 10.0
"""How often what was counted is written down, for other processes to see."""


class Tenants:
    """An engine for each tenant, sharing what is large.  Safe to use from several threads.

    Args:
        database: where all of them are kept; it stays open when this is closed.
        embedder: what makes vectors, for every tenant; default the static one, loaded when the
            first tenant is asked for.
        clock: milliseconds since the epoch.
        most_rows: events that the in-memory indexes hold together; those of the tenants that
            were silent for longest are dropped beyond, and loaded again when they are needed.
    """

    def __init__(
        self,
        database: Database,
        *,
        embedder: Embedder | None = None,
        clock: Clock = system_clock,
        most_rows: int = MOST_ROWS,
    ) -> None:
        self._database = database
        self._embedder = embedder
        self._counter: TokenCounter | None = None
        self._clock = clock
        self._room = Room(most_rows)
        self._lock = threading.Lock()
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        # Out of the cache, but perhaps in somebody's hands: their counts are still collected.
        self._leaving: list[Engine] = []
        self._closing = threading.Event()
        self._writer: threading.Thread | None = None
        renew_after_fork(self)

    def engine(self, tenant_id: str) -> Engine:
        """The memory of a tenant; made in the database when it first stores something.

        Raises:
            UnavailableError: this is closed.
            ValidationError: `tenant_id` is not an identifier.
        """
        checked = check_id("tenant_id", tenant_id)
        with self._lock:
            if self._closing.is_set():
                raise UnavailableError("the memory is closed; open it again")
            found = self._engines.get(checked)
            if found is None:
                found = self._engines[checked] = self._open(checked)
            self._engines.move_to_end(checked)
            if len(self._engines) > MOST_ENGINES:
                self._leaving.append(self._engines.popitem(last=False)[1])
            if self._writer is None:
                self._writer = threading.Thread(
                    target=self._write_regularly, name="hippocortex-meters", daemon=True
                )
                self._writer.start()
        return found

    def write_meters(self) -> None:
        """Write down what every tenant's meter has counted, as far as that is possible now."""
        with self._lock:
            leaving, self._leaving = self._leaving, []
            engines = [*leaving, *self._engines.values()]
        for engine in engines:
            engine.write_meter()

    def close(self) -> None:
        """Write down what is counted and close every engine; the database stays open."""
        with self._lock:
            self._closing.set()
            writer, self._writer = self._writer, None
            engines = [*self._leaving, *self._engines.values()]
            self._engines.clear()
            self._leaving.clear()
        if writer is not None:
            writer.join()
        for engine in engines:
            engine.close()

    def after_fork(self) -> None:
        """In a child process: a lock of its own, and no thread yet."""
        self._lock = threading.Lock()
        self._writer = None

    def _open(self, tenant_id: str) -> Engine:
        if self._embedder is None:
            self._embedder = StaticEmbedder()
        if self._counter is None:
            self._counter = TokenCounter()
        return Engine(
            self._database,
            tenant_id=tenant_id,
            embedder=self._embedder,
            clock=self._clock,
            owns_database=False,
            counter=self._counter,
            room=self._room,
        )

    def _write_regularly(self) -> None:
        while not self._closing.wait(METER_SECONDS):
            self._try_write()

    def _try_write(self) -> None:
        try:
            self.write_meters()
        except HippocortexError as fault:  # counters are not worth the thread
            _log.warning("usage counters could not be written: %s", fault)
