"""Where a home's events wait on disk, and how a recorder opens the home."""

from __future__ import annotations

import hashlib
import importlib
import os
import sys
from pathlib import Path

from hippocortex_core.config import Settings
from hippocortex_core.exchange import RetryPolicy
from hippocortex_core.home import load_engine, open_service
from hippocortex_core.service import MemoryService
from hippocortex_core.sync_client import SyncHippocortex


def spool_folder(settings: Settings) -> Path:
    """Where the events for a home and key wait: in `HIPPOCORTEX_STATE_DIR`, or the user's state.

    The name is a hash: it tells neither the home nor the key.
    """
    return _state_folder() / "spool" / "v1" / home_id(settings)[:24]


def open_home(settings: Settings) -> MemoryService:
    """The memory that the settings name, as a recorder wants it."""
    if not settings.is_http:
        return open_service(settings)
    from hippocortex_core.transports.http import HttpTransport  # noqa: PLC0415 - loads httpx

    # The recorder tries again by itself, from the spool; a recall must not wait for a second try.
    return SyncHippocortex(transport=HttpTransport(settings, RetryPolicy(retries=0)))


def load_home(settings: Settings) -> None:
    """Load the code that opening it needs."""
    if settings.is_http:
        importlib.import_module("hippocortex_core.transports.http")
    else:
        load_engine()


def home_id(settings: Settings) -> str:
    """The same for the same home and key."""
    url = settings.location
    if url.startswith("sqlite:///"):
        url = os.path.abspath(url.removeprefix("sqlite:///"))  # noqa: PTH100 - need not exist
    text = f"{url}\n{settings.api_key or ''}"
    return hashlib.sha256(text.encode()).hexdigest()


def _state_folder() -> Path:
    if given := os.environ.get("HIPPOCORTEX_STATE_DIR"):
        return Path(given)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
        return Path(base or Path.home() / "AppData" / "Local") / "hippocortex"
    base = os.environ.get("XDG_STATE_HOME")
    return Path(base or Path.home() / ".local" / "state") / "hippocortex"
