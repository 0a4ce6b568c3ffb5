"""Opening the home that the settings name: late, once, and again after a fork."""

from __future__ import annotations

import importlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import Generic, TypeVar

from hippocortex_core.config import ENGINE_MODULE, Settings, prepare_default_home
from hippocortex_core.errors import MissingExtraError, UnavailableError, invalid
from hippocortex_core.operations import MAX_BATCH
from hippocortex_core.service import MemoryService
from hippocortex_core.transports.base import AsyncTransport, Transport
from hippocortex_core.transports.local import AsyncLocalTransport, LocalTransport

T = TypeVar("T")
EXPORT_PAGE = 200
"""Events that an export asks for at a time: a page of the largest is 200 MB."""


class Lazy(Generic[T]):
    """Something opened on first use, by whichever thread comes first."""

    def __init__(self, opener: Callable[[], T]) -> None:
        self._opener = opener
        self._lock = threading.Lock()
        self._owner = os.getpid()
        self._opened: tuple[int, T] | None = None
        self._closed = False

    @property
    def ready(self) -> T | None:
        """What was opened in this process; None before that.

        Raises:
            UnavailableError: It was closed.
        """
        if self._closed:
            raise UnavailableError("this client is closed; create a new one")
        opened = self._opened
        return opened[1] if opened is not None and opened[0] == os.getpid() else None

    def get(self) -> T:
        """What is opened, opened now if need be.

        Raises:
            UnavailableError: It was closed.
        """
        if (ready := self.ready) is not None:
            return ready
        if self._owner != os.getpid():
            # Connections do not survive a fork, nor does a lock that another thread held.
            self._opened, self._lock, self._owner = None, threading.Lock(), os.getpid()
        with self._lock:
            if (ready := self.ready) is None:
                ready = self._opener()
                self._opened = (os.getpid(), ready)
            return ready

    def close(self) -> T | None:
        """Forbid further use; returns what must be closed, if this process opened it."""
        with self._lock:
            opened, self._opened, self._closed = self._opened, None, True
        return opened[1] if opened is not None and opened[0] == os.getpid() else None


def fixed(value: T) -> Lazy[T]:
    """Something that is open already."""
    return Lazy(lambda: value)


def open_transport(settings: Settings) -> Transport:
    """A blocking transport to the home."""
    if settings.is_http:
        from hippocortex_core.transports.http import HttpTransport  # noqa: PLC0415 - loads httpx

        return HttpTransport(settings)
    return LocalTransport(open_service(settings))


def open_async_transport(settings: Settings) -> AsyncTransport:
    """A transport to the home that does not block the event loop."""
    if settings.is_http:
        from hippocortex_core.transports.http import AsyncHttpTransport  # noqa: PLC0415

        return AsyncHttpTransport(settings)
    return AsyncLocalTransport(open_service(settings))


def open_service(settings: Settings) -> MemoryService:
    """The embedded engine on the database that the settings name.

    Raises:
        MissingExtraError: No engine is installed.
    """
    try:
        engine = load_engine()
    except ModuleNotFoundError as error:
        if error.name != ENGINE_MODULE:
            raise
        raise MissingExtraError(
            f"{settings.location!r} needs the embedded engine: pip install 'hippocortex[local]'",
        ) from error
    prepare_default_home(settings)
    return engine.open_engine(settings.base_url)


def load_engine() -> ModuleType:
    """The code of the embedded engine, which takes half a second the first time."""
    return importlib.import_module(ENGINE_MODULE)


def pieces(events: Sequence[T]) -> Iterator[Sequence[T]]:
    """The events in requests that a service takes; none at all are still one request.

    Raises:
        ValidationError: It is no list.
    """
    if not isinstance(events, (list, tuple)):
        raise invalid("events", f"must be a list, got {type(events).__name__}")
    for start in range(0, max(len(events), 1), MAX_BATCH):
        yield events[start : start + MAX_BATCH]
