"""The socket that a server listens on, taken before anything else is opened."""

from __future__ import annotations

import errno
import socket

from hippocortex_core.errors import ConfigurationError
from hippocortex_server.settings import ServerSettings

_BACKLOG = 2_048

_REASONS = {
    errno.EADDRINUSE: "is in use; stop what listens there, or choose another with --port",
    errno.EACCES: "may not be listened on by this user; choose a port above 1023 with --port",
    errno.EADDRNOTAVAIL: "is no address of this machine; choose one with --host",
}


def listen(settings: ServerSettings) -> socket.socket:
    """A listening socket; it is the workers' too, so that requests wait while one starts anew.

    Raises:
        ConfigurationError: The address is not to be had; the message names the fix.
    """
    where = place(settings.host, settings.port)
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, UnicodeError):
        raise ConfigurationError(
            f"{settings.host!r} is not a name or address of this machine; choose one with --host"
        ) from None
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(_BACKLOG)
    except OSError as failure:
        made.close()
        reason = _REASONS.get(failure.errno or 0, failure.strerror or "cannot be listened on")
        raise ConfigurationError(f"{where} {reason}") from None
    return made


def place(host: str, port: int) -> str:
    """Host and port as they stand in a URL."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def reached_at(settings: ServerSettings, listening: socket.socket) -> str:
    """The URL of the API as a client on this machine writes it."""
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104
    host = everywhere.get(settings.host, settings.host)
    return f"http://{place(host, listening.getsockname()[1])}/v1"
