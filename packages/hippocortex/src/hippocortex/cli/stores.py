"""The database that a server keeps its memory in, for the commands that need one."""

from __future__ import annotations

import importlib.util
from typing import Annotated

import typer

from hippocortex.cli.state import home_url, state
from hippocortex_core.config import Settings, default_home, prepare_default_home, resolve
from hippocortex_core.errors import ConfigurationError, MissingExtraError

Store = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="URL",
        envvar="HIPPOCORTEX_STORE",
        help="The database: sqlite:///path, postgresql://… or a path;"
        " default what other commands use, ./.hippocortex/memory.db.",
    ),
]


def require_server(command: str) -> None:
    """See that the server is installed.

    Raises:
        MissingExtraError: It is not.
    """
    if importlib.util.find_spec("hippocortex_server") is None:
        raise MissingExtraError(
            f"`hippocortex {command}` needs the server: pip install 'hippocortex[server]'"
        )


def store_url(ctx: typer.Context, store: str | None) -> str:
    """The URL of the database; the folder of the default one is made.

    What names a service is for clients, perhaps of this very server, and names no database.

    Raises:
        ConfigurationError: What is named explicitly is no database.
    """
    named = home_url(store) or state(ctx).home
    settings = resolve(None, named) if named else _configured()
    if settings.is_http:
        raise ConfigurationError(
            f"{settings.location!r} is a service, not a database;"
            " use --store sqlite:///path or --store postgresql://…"
        )
    prepare_default_home(settings, announce=False)
    return settings.base_url


def _configured() -> Settings:
    settings = resolve()
    return default_home() if settings.is_http else settings
