"""How `wrap` takes hold of a client."""

from __future__ import annotations

from typing import Any

from hippocortex._instrument import duck, patching
from hippocortex._instrument.interceptor import Interceptor, new_session
from hippocortex_core.config import Settings, resolve
from hippocortex_core.errors import ConfigurationError
from hippocortex_core.guard import fail_open, say
from hippocortex_core.recorder import shared_recorder


def settings_of(api_key: str | None, base_url: str | None) -> Settings | None:
    """Where the memory lives; None, and one line that says why, if it lives nowhere."""
    try:
        return resolve(api_key, base_url)
    except ConfigurationError as error:
        say(f"no memory: {error.message}")
        return None


def attach(client: Any, settings: Settings, session_id: str | None) -> bool:
    """Give the client a memory; False if there is no way to."""
    memory = Interceptor(lambda: shared_recorder(settings), session_id)
    session = session_id or new_session()
    with fail_open("wrapping a client"):
        if patching.is_sdk_client(client):
            patching.patch_client(client, memory, session)
            return True
        return duck.patch_methods(client, memory, session)
    return True


def detach(client: Any) -> None:
    """Undo `attach`."""
    if patching.is_sdk_client(client):
        patching.restore_client(client)
    else:
        duck.restore_methods(client)


def is_wrapped(client: Any) -> bool:
    """Whether `attach` was done and not undone."""
    if patching.is_sdk_client(client):
        return patching.is_patched(client)
    return duck.is_patched(client)
