"""Running a server: everything is opened and checked first, then it serves until told to stop."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from socket import socket

import uvicorn

from hippocortex_core.errors import ConfigurationError
from hippocortex_engine.storage.database import Database
from hippocortex_server.keys import Keyring, NewKey
from hippocortex_server.listening import listen, reached_at
from hippocortex_server.logs import configure, log_config
from hippocortex_server.opening import opened
from hippocortex_server.protocol import Protocol
from hippocortex_server.settings import VARIABLE, ServerSettings
from hippocortex_server.supervision import ManyProcesses, OneProcess

FIRST_TENANT = "default"
"""Whose memory the first key opens; also the embedded engine's tenant."""

_PROMETHEUS = "PROMETHEUS_MULTIPROC_DIR"  # where processes put the numbers that they sum up
_KEEP_ALIVE = 75  # seconds; longer than what clients and proxies keep idle connections for
_HEALTHCHECK = 15  # seconds for a worker to show that it is alive; it may be short of processor


@dataclass(frozen=True)
class Started:
    """What there is to tell when a server begins to serve.

    Attributes:
        url: of the API, as a client on this machine writes it.
        store: where the memory is kept, without credentials.
        settings: what it was set up with.
        first_key: the key that was made for a database that had none.
    """

    url: str
    store: str
    settings: ServerSettings
    first_key: NewKey | None


def serve(settings: ServerSettings, announce: Callable[[Started], None]) -> int:
    """Serve until SIGTERM or SIGINT; the exit code of the process.

    Args:
        settings: what to serve, and where.
        announce: called once, when everything is open and requests are about to be answered.

    Raises:
        ConfigurationError: it cannot be served like this; the message names the fix.
        UnavailableError: the database cannot be opened.
    """
    configure(settings.log_format)
    _check(settings)
    with closing(listen(settings)) as listening:
        with opened(settings.store) as database:
            first = _first_key(settings, Keyring(database))
            server = _alone(settings, database) if settings.workers == 1 else None
            url = reached_at(settings, listening)
            announce(Started(url, database.where, settings, first))
            if server is not None:
                return server.until_stopped(listening)
        return _together(settings, listening)


def _check(settings: ServerSettings) -> None:
    if settings.workers > 1 and settings.is_in_memory:
        raise ConfigurationError(
            "a database in memory belongs to one process; use --workers 1, or name a file"
        )
    if settings.otel:
        from hippocortex_server.tracing import require_opentelemetry  # noqa: PLC0415

        require_opentelemetry()


def _first_key(settings: ServerSettings, keyring: Keyring) -> NewKey | None:
    """A first key, if there is none: only for a server that nobody else can reach."""
    if settings.is_local:
        return keyring.create_first(FIRST_TENANT)
    if not keyring.any():
        raise ConfigurationError(
            f"there is no API key yet, and {settings.host!r} can be reached from other machines;"
            " make one first: hippocortex keys create --tenant default --scope read,write,admin"
        )
    return None


def _alone(settings: ServerSettings, database: Database) -> OneProcess:
    from hippocortex_server.workers import build  # noqa: PLC0415 - the supervisor needs no app

    return OneProcess(_config(settings, build(settings, database)), settings.shutdown_timeout)


def _together(settings: ServerSettings, listening: socket) -> int:
    with _shared(settings) as shared:
        config = _config(shared, "hippocortex_server.workers:app", factory=True)
        workers = ManyProcesses(config, listening, settings.shutdown_timeout)
        return workers.until_stopped()


@contextmanager
def _shared(settings: ServerSettings) -> Generator[ServerSettings]:
    """What the workers share: settings, the state of rate limits, and the numbers of metrics."""
    folder = Path(tempfile.mkdtemp(prefix="hippocortex-"))
    metrics = folder / "metrics"
    metrics.mkdir()
    kept = {name: os.environ.get(name) for name in (VARIABLE, _PROMETHEUS)}
    shared = replace(
        settings,
        limits_file=settings.limits_file or str(folder / "limits"),
        connections_file=str(folder / "connections") if os.name == "posix" else None,
    )
    shared.to_environ()
    os.environ.setdefault(_PROMETHEUS, str(metrics))
    try:
        yield shared
    finally:
        for name, value in kept.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        shutil.rmtree(folder, ignore_errors=True)


def _config(settings: ServerSettings, app: object, *, factory: bool = False) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # pyright: ignore[reportArgumentType] - an application, or where to find its factory
        factory=factory,
        workers=settings.workers,
        loop="hippocortex_server.balance:new_loop" if settings.connections_file else "auto",
        http=Protocol,
        ws="none",
        lifespan="on",
        log_config=log_config(settings.log_format),
        access_log=False,  # the app logs requests itself, with what it knows of them
        proxy_headers=False,  # whoever can connect could make up an address
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=max(1, round(settings.shutdown_timeout)),
        timeout_worker_healthcheck=_HEALTHCHECK,
    )
