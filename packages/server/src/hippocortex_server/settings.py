"""How a server is set up: one frozen record for the command line, the app and the workers."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, MutableMapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, cast, get_args

from hippocortex_core.errors import ConfigurationError

VARIABLE = "HIPPOCORTEX_SERVER_SETTINGS"
"""Where a process finds the settings of the server that it is a worker of."""

LogFormat = Literal["json", "text"]

MEGABYTE = 1 << 20

_COUNTS = {"port": (0, 65_535), "workers": (1, 256), "learn_after_events": (1, 1_000_000_000)}
_SIZES = {"rate_limit": (0, 1_000_000_000), "max_body": (1_024, 1 << 30)}
_WHOLE = _COUNTS | _SIZES
_SECONDS = ("learn_after_idle", "body_timeout", "request_timeout", "shutdown_timeout")
_LOOPBACK = ("localhost", "::1")


@dataclass(frozen=True)
class ServerSettings:
    """What a server serves, where, and within which limits.

    Attributes:
        store: The database's URL.
        host: The address to listen on.
        port: The port; 0 is any that is free.
        workers: Processes that answer.
        auto_learn: Whether the server learns by itself.
        learn_after_events: New events of a tenant after which it learns.
        learn_after_idle: Seconds without an event of a tenant after which it learns what there is.
        rate_limit: Requests a minute for a key that has no limit of its own; 0: no limit.
        max_body: Bytes of a request's body.
        body_timeout: Seconds for a request's body to arrive.
        request_timeout: Seconds for a request to be answered.
        shutdown_timeout: Seconds for requests under way to finish when the server stops.
        limits_file: Where the workers keep the state of the rate limits they share.
        connections_file: Where the workers count their connections, to take turns with new ones.
        otel: Whether to send traces by OpenTelemetry.
        log_format: One JSON document a line, or text.
    """

    store: str = field(repr=False)  # it may hold a password
    host: str = "127.0.0.1"
    port: int = 8377
    workers: int = 1
    auto_learn: bool = False
    learn_after_events: int = 200
    learn_after_idle: float = 60.0
    rate_limit: int = 120_000
    max_body: int = 8 * MEGABYTE
    body_timeout: float = 30.0
    request_timeout: float = 60.0
    shutdown_timeout: float = 30.0
    limits_file: str | None = None
    connections_file: str | None = None
    otel: bool = False
    log_format: LogFormat = "json"

    def __post_init__(self) -> None:
        for name, (least, most) in _WHOLE.items():
            _check_whole(name, getattr(self, name), least, most)
        for name in _SECONDS:
            _check_seconds(name, getattr(self, name))
        if self.log_format not in get_args(LogFormat):
            raise ConfigurationError(f"log_format must be json or text, not {self.log_format!r}")

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the server."""
        return self.host in _LOOPBACK or self.host.startswith("127.")

    @property
    def is_in_memory(self) -> bool:
        """Whether the store is a database that only its own process sees."""
        return self.store.partition("?")[0] in {"sqlite://", "sqlite:///", "sqlite:///:memory:"}

    def to_environ(self, environ: MutableMapping[str, str] | None = None) -> None:
        """Put the settings where the processes that this one starts will find them."""
        environ = os.environ if environ is None else environ
        environ[VARIABLE] = json.dumps(asdict(self))

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] | None = None) -> ServerSettings:
        """The settings of the server that this process is a worker of.

        Raises:
            ConfigurationError: Nothing has put them there, or they are broken.
        """
        environ = os.environ if environ is None else environ
        try:
            said: object = json.loads(environ.get(VARIABLE, ""))
        except ValueError:
            said = None
        known = {one.name for one in fields(cls)}
        if not isinstance(said, dict) or not known >= cast("dict[str, Any]", said).keys():
            raise ConfigurationError(
                f"{VARIABLE} does not hold the settings of a server; start it with"
                " `hippocortex serve`"
            )
        return cls(**cast("dict[str, Any]", said))


def _check_whole(name: str, value: object, least: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ConfigurationError(
            f"{name} must be a whole number from {least:,} to {most:,}, not {value!r}"
        )


def _check_seconds(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < math.inf:
        raise ConfigurationError(f"{name} must be a positive number of seconds, not {value!r}")
