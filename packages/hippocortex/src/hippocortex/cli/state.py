"""What the global options say, and the memory they lead to."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import typer

if TYPE_CHECKING:
    from hippocortex_core.client import SyncHippocortex


@dataclass(frozen=True, slots=True)
class State:
    """The global options."""

    home: str | None = None
    api_key: str | None = None


def state(ctx: typer.Context) -> State:
    """The global options of this command line."""
    return cast("State", ctx.find_root().obj)


@contextmanager
def memory(ctx: typer.Context) -> Generator[SyncHippocortex]:
    """The memory the options, the environment or the configuration file name."""
    options = state(ctx)
    with open_memory(options.home, options.api_key) as opened:
        yield opened


@contextmanager
def open_memory(home: str | None, api_key: str | None = None) -> Generator[SyncHippocortex]:
    """A memory by its URL."""
    from hippocortex_core.client import SyncHippocortex  # noqa: PLC0415 - only when needed

    with SyncHippocortex(api_key=api_key, base_url=home) as opened:
        yield opened


def home_url(home: str | None) -> str | None:
    """A path as the URL of the database there; a URL as it is."""
    return home if not home or "://" in home else f"sqlite:///{home}"
