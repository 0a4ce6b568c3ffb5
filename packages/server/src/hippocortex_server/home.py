"""What the requests of one server process share: the store, its tenants, threads and limits."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import TypeVar
from weakref import WeakValueDictionary

from hippocortex_core.types import CaptureEvent, CaptureResult, HealthResult
from hippocortex_engine.clock import Clock
from hippocortex_engine.engine import Engine
from hippocortex_engine.storage.database import Database
from hippocortex_engine.tenancy import Tenants
from hippocortex_engine.version import VERSION
from hippocortex_server.authentication import Authenticator
from hippocortex_server.bodies import Bodies
from hippocortex_server.cells import OwnCells, SharedCells
from hippocortex_server.gathering import Gatherer, store_together
from hippocortex_server.keys import ApiKey, Keyring
from hippocortex_server.limits import Limiter
from hippocortex_server.measuring import Measures
from hippocortex_server.pools import Pools, Work
from hippocortex_server.settings import ServerSettings

T = TypeVar("T")
_NOBODY = ""
"""In whose name keys are looked up."""

_HEALTH_FRESH = 1.0  # seconds: anybody may ask for health, so asking must cost nothing
_HEALTH_TIMEOUT = 5.0  # seconds


class Home:
    """The memories of all tenants, and the way to them.

    Args:
        settings: how the server is set up.
        database: where the memories are; default: opened from the settings, and closed here.
        clock: milliseconds since the epoch.

    Raises:
        ConfigurationError: the settings cannot be met.
        UnavailableError: the store does not answer.
    """

    def __init__(self, settings: ServerSettings, database: Database | None, clock: Clock) -> None:
        self.settings = settings
        self._owned = database is None
        self.database = Database(settings.store) if database is None else database
        self.tenants = Tenants(self.database, clock=clock)
        self.pools = Pools()
        self.measures = Measures()
        self.bodies = Bodies(settings.max_body)
        cells = SharedCells(settings.limits_file) if settings.limits_file else OwnCells()
        self.limiter = Limiter(cells, clock)
        self._keyring = Keyring(self.database, clock=clock)
        self.authenticator = Authenticator(self._find, self.limiter)
        # A gatherer lives as long as somebody waits for it.
        self._gatherers: WeakValueDictionary[str, Gatherer] = WeakValueDictionary()
        self._health: tuple[float, asyncio.Task[HealthResult]] | None = None

    async def call(self, work: Work, tenant_id: str, call: Callable[[Engine], T]) -> T:
        """The result of a call to a tenant's engine.

        Raises:
            UnavailableError: it took longer than a request may; learning may take any time.
        """
        timeout = None if work == "learn" else self.settings.request_timeout
        return await self.pools.run(
            work, tenant_id, lambda: call(self.tenants.engine(tenant_id)), timeout
        )

    async def capture(self, tenant_id: str, event: CaptureEvent, size: int) -> CaptureResult:
        """Store one event of so many bytes, together with others that arrive now."""
        gatherer = self._gatherers.get(tenant_id)
        if gatherer is None:
            gatherer = self._gatherers[tenant_id] = Gatherer(
                lambda events: self.call(
                    "write", tenant_id, lambda engine: store_together(engine, events)
                ),
                self.settings.request_timeout,
            )
        return await gatherer.capture(event, size)

    async def health(self) -> HealthResult:
        """Whether the store answers; asked at most once a second.

        Raises:
            UnavailableError: it does not.
        """
        now = time.monotonic()
        if self._health is None or (self._health[0] <= now and self._health[1].done()):
            self._health = (now + _HEALTH_FRESH, asyncio.create_task(self._ask_store()))
        return await asyncio.shield(self._health[1])

    async def close(self) -> None:
        """Finish what runs and let go of everything."""
        if self._health is not None:
            self._health[1].cancel()
            with contextlib.suppress(Exception, asyncio.CancelledError):
                await self._health[1]
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self.pools.close()
        self.tenants.close()
        self.limiter.close()
        if self._owned:
            self.database.close()

    async def _find(self, secret: str) -> ApiKey | None:
        timeout = self.settings.request_timeout
        return await self.pools.run("key", _NOBODY, lambda: self._keyring.find(secret), timeout)

    async def _ask_store(self) -> HealthResult:
        await self.pools.run("key", _NOBODY, self._keyring.any, _HEALTH_TIMEOUT)
        return HealthResult("ok", VERSION, self.database.kind)
