"""Learning by itself: after enough new events of a tenant, or when it has gone quiet.

A process watches the tenants that it has captured for, and, from its start, those that keys are
for; so no query ever runs over all tenants.  What a tenant has new is read from its row: the
events of other processes count too.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from hippocortex_core.errors import HippocortexError
from hippocortex_engine.clock import Clock, system_clock
from hippocortex_engine.storage import tenants as tenant_store
from hippocortex_engine.storage.database import Database
from hippocortex_server.leases import Lease
from hippocortex_server.logs import LOGGER

LOOK = 1.0
"""Seconds between two looks at what is new."""

_PATIENCE = 60_000  # milliseconds to wait after a failure; doubled with every further one
_LONGEST = 3_600_000
_MOST = 10_000  # tenants watched at a time

_log = logging.getLogger(LOGGER)


class Learn(Protocol):
    """How learning is done."""

    def __call__(self, tenant_id: str, renew: Callable[[], object]) -> None:
        """Learn what is new for a tenant, calling `renew` now and then while it lasts.

        Raises:
            HippocortexError: it failed.
        """
        ...

    def close(self) -> None:
        """Stop, in the middle of it if need be."""
        ...


@dataclass(slots=True)
class _Watched:
    """What is known of a tenant: how far it was when last looked at, and since when."""

    head: int = -1
    since: int = 0
    not_before: int = 0
    failures: int = 0
    is_news: bool = True


class AutoLearner:
    """Decides when to learn, for whom; one tenant after the other.

    Args:
        database: where the tenants are kept; not closed here.
        learn: how learning is done; closed by `stop`.
        after_events: new events after which a tenant is learned for.
        after_idle: seconds without an event after which what is there is learned.
        clock: milliseconds since the epoch.
    """

    def __init__(
        self,
        database: Database,
        learn: Learn,
        *,
        after_events: int = 200,
        after_idle: float = 60.0,
        clock: Clock = system_clock,
    ) -> None:
        self._database = database
        self._learn = learn
        self._after_events = after_events
        self._after_idle = round(after_idle * 1000)
        self._clock = clock
        self._watched: dict[str, _Watched] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def captured(self, tenant_id: str) -> None:
        """Watch a tenant: something was captured for it.  Costs next to nothing."""
        with self._lock:
            if len(self._watched) < _MOST:
                self._watched.setdefault(tenant_id, _Watched()).is_news = True

    def watch(self, tenant_ids: Iterable[str]) -> None:
        """Watch tenants that may have something new."""
        with self._lock:
            for tenant_id in tenant_ids:
                if len(self._watched) < _MOST:
                    self._watched.setdefault(tenant_id, _Watched())

    def start(self) -> None:
        """Look every second, in a thread of its own."""
        self._thread = threading.Thread(target=self._run, name="hippocortex-learn", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Look no more; learning under way is broken off, and the next process goes on."""
        self._stopping.set()
        self._learn.close()
        if self._thread is not None:
            self._thread.join()

    def look(self) -> int:
        """Look once at every watched tenant and learn where it is time; how many were learned for.

        Raises:
            HippocortexError: The database cannot answer.
        """
        with self._lock:
            watched = list(self._watched.items())
        learned = 0
        for tenant_id, seen in watched:
            if self._stopping.is_set():
                break
            if self._is_due(tenant_id, seen):
                learned += self._try_to_learn(tenant_id, seen)
        return learned

    def _run(self) -> None:
        while not self._stopping.wait(LOOK):
            self._try_to_look()

    def _try_to_look(self) -> None:
        try:
            self.look()
        except HippocortexError as failure:  # the database is away; it is tried again
            _log.warning("auto-learn cannot look", extra={"error": failure.message})

    def _is_due(self, tenant_id: str, seen: _Watched) -> bool:
        now = self._clock()
        if now < seen.not_before:
            return False
        seen.is_news = False
        with self._database.read() as connection:
            state = tenant_store.state(connection, tenant_id)
        if state is None or state.head <= state.compiled_head:
            self._forget(tenant_id, seen)
            return False
        if state.head != seen.head:
            seen.head, seen.since = state.head, now
        new = state.head - state.compiled_head
        return new >= self._after_events or now - seen.since >= self._after_idle

    def _forget(self, tenant_id: str, seen: _Watched) -> None:
        """Watch no more, unless something was captured since it was looked at."""
        with self._lock:
            if not seen.is_news:
                del self._watched[tenant_id]

    def _try_to_learn(self, tenant_id: str, seen: _Watched) -> bool:
        lease = Lease(self._database, tenant_id, self._clock)
        if not lease.take():
            return False  # another process is at it
        try:
            self._learn(tenant_id, lease.renew)
        except Exception as failure:  # noqa: BLE001 - one tenant must not stop it for all
            self._failed(tenant_id, seen, failure)
            return False
        finally:
            lease.release()
        seen.failures = 0
        _log.info("learned", extra={"tenant_id": tenant_id})
        return True

    def _failed(self, tenant_id: str, seen: _Watched, failure: Exception) -> None:
        if self._stopping.is_set():
            return
        wait = min(_PATIENCE * 2 ** min(seen.failures, 10), _LONGEST)
        seen.failures += 1
        seen.not_before = self._clock() + wait
        said = {"tenant_id": tenant_id, "error": str(failure), "again_in_ms": wait}
        _log.warning("auto-learn failed", extra=said)
