"""PostgreSQL URLs: what libpq is told, and what is ours."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from hippocortex_core.errors import ConfigurationError
from hippocortex_engine.storage.archive import INDEX_LIMIT

POOL_SIZE = 10
"""Connections that a process holds at most, unless the URL says `pool_size=`."""


@dataclass(frozen=True, slots=True)
class Target:
    """A database to connect to, and how.

    Attributes:
        parameters: what libpq is given.
        pool_size: connections at most.
        index_limit: events of a tenant that are searched in memory.
    """

    parameters: Mapping[str, Any]
    pool_size: int = POOL_SIZE
    index_limit: int = INDEX_LIMIT

    @property
    def where(self) -> str:
        """The database as a URL without user and password."""
        host = str(self.parameters.get("host", os.environ.get("PGHOST", "")))
        name = str(self.parameters.get("dbname", os.environ.get("PGDATABASE", "")))
        if host.startswith(("/", "@")):
            return f"postgresql:///{name}?host={host}"
        port = self.parameters.get("port")
        return f"postgresql://{host}{f':{port}' if port else ''}/{name}"


def parse(url: str) -> Target:
    """A URL as libpq reads it, and what of it is ours.

    Raises:
        ConfigurationError: it is not a PostgreSQL URL.
    """
    address, _, query = url.partition("://")[2].partition("?")
    theirs: list[str] = []
    own: dict[str, str] = {}
    for part in filter(None, query.split("&")):
        name, _, value = part.partition("=")
        if name in _OWN:
            own[name] = unquote(value)
        else:
            theirs.append(part)
    from psycopg import ProgrammingError  # noqa: PLC0415 - only who uses PostgreSQL has it
    from psycopg.conninfo import conninfo_to_dict  # noqa: PLC0415

    try:
        parameters: dict[str, Any] = conninfo_to_dict(f"postgresql://{address}?{'&'.join(theirs)}")
        _check_ports(str(parameters.get("port", "")))
    except (ProgrammingError, ValueError) as failure:
        # libpq's message may quote the URL, password and all; only a parameter's name is safe.
        unknown = re.search(r'query parameter: "(\w+)"', str(failure))
        what = f"unknown parameter {unknown[1]!r} in the URL" if unknown else "not a PostgreSQL URL"
        raise ConfigurationError(
            f"{what}; use postgresql://user:password@host:5432/database"
        ) from None
    return Target(parameters, **{name: _OWN[name](value) for name, value in own.items()})


def _check_ports(said: str) -> None:
    for port in filter(None, said.split(",")):
        if not 0 < int(port) < 65_536:  # noqa: PLR2004
            raise ValueError(port)


def _whole(name: str, most: int) -> Callable[[str], int]:
    def read(value: str) -> int:
        if not value.isdecimal() or not 1 <= int(value) <= most:
            raise ConfigurationError(f"{name} must be between 1 and {most:,}, not {value!r:.20}")
        return int(value)

    return read


_OWN = {
    "pool_size": _whole("pool_size", 1_000),
    "index_limit": _whole("index_limit", 10**9),
}
"""Parameters of the URL that are not libpq's."""
