"""The Hippocortex memory over HTTP: tenants, keys, limits, SQLite or PostgreSQL.

from hippocortex_server import ServerSettings, create_app

app = create_app(ServerSettings(store="sqlite:///memory.db"))  # an ASGI application
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hippocortex_server.app import create_app
    from hippocortex_server.settings import ServerSettings

__all__ = ["ServerSettings", "create_app"]


if not TYPE_CHECKING:
    # Hidden from type checkers: to them any misspelt name would be one of this module's.
    def __getattr__(name: str) -> object:
        # FastAPI takes half a second to load, and managing keys does not need it.
        if name == "create_app":
            from hippocortex_server.app import create_app  # noqa: PLC0415

            return create_app
        if name == "ServerSettings":
            from hippocortex_server.settings import ServerSettings  # noqa: PLC0415

            return ServerSettings
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
