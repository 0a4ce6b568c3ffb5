"""The plugin's settings: what is asked for, and the patch of OpenClaw's configuration it makes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast
from urllib.parse import urlsplit

from hippocortex_core.config import Settings
from hippocortex_core.errors import ConfigurationError
from hippocortex_openclaw._install.cli import KEY_VARIABLE
from hippocortex_openclaw._install.places import PLUGIN, defaults

DEFAULT_URL = "http://127.0.0.1:8377/v1"
"""Where `hippocortex serve` listens by default."""

KEY_REFERENCE = f"${{{KEY_VARIABLE}}}"
"""OpenClaw puts the variable's value there; an unset one is left as it stands."""

Scope = Literal["conversation", "agent", "shared"]
_LOOPBACK = re.compile(r"localhost|127\.\d+\.\d+\.\d+|::1")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the user asks for; None leaves a setting as it is.

    Attributes:
        base_url: The memory server.
        default_url: The server where neither the user nor an earlier install names one.
        api_key: A key to be kept in OpenClaw's configuration.
        by_reference: Whether the configuration shall name the variable instead of holding a key.
        agents: Only these agents; an empty list is all.
        user_id: The owner's name in the memory.
        scope: Who shares a memory.
    """

    base_url: str | None = None
    default_url: str = DEFAULT_URL
    api_key: str | None = field(default=None, repr=False)
    by_reference: bool = False
    agents: Sequence[str] | None = None
    user_id: str | None = None
    scope: Scope | None = None

    def changes(self, current: Mapping[str, Any]) -> dict[str, Any]:
        """What must be written over the current settings; None deletes."""
        changed: dict[str, Any] = {}
        if self.base_url or not current.get("baseUrl"):
            changed["baseUrl"] = self.base_url or self.default_url
        if self.api_key:
            changed["apiKey"] = self.api_key
        elif self.by_reference or not current.get("apiKey"):
            changed["apiKey"] = KEY_REFERENCE
        if self.agents is not None:
            changed["agents"] = list(self.agents) or None
        given = {"userId": self.user_id, "scope": self.scope}
        return changed | {name: value for name, value in given.items() if value is not None}


def config_patch(changes: Mapping[str, Any]) -> dict[str, Any]:
    """The patch that switches the plugin on, lets it read conversations and sets it up."""
    entry = {
        "enabled": True,
        "hooks": {"allowConversationAccess": True},
        "config": dict(changes),
    }
    return {"plugins": {"entries": {PLUGIN: entry}}}


def shown(value: Any) -> Any:
    """A patch or settings to show: a key that stands in it is left out."""
    if not isinstance(value, dict):
        return value
    return {
        name: "<the API key>" if name == "apiKey" and not is_reference(inner) else shown(inner)
        for name, inner in cast("dict[str, Any]", value).items()
    }


def is_reference(key: Any) -> bool:
    """Whether a key is a variable that nothing has been put in for."""
    return isinstance(key, str) and key.startswith("${")


def entry_settings(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The settings in the plugin's entry that somebody has chosen: OpenClaw adds the defaults."""
    usual = defaults()
    config = mapping(entry.get("config"))
    return {name: value for name, value in config.items() if usual.get(name) != value}


def key_state(settings: Mapping[str, Any]) -> Literal["stored", "variable", "missing"]:
    """Where OpenClaw has the key from, read while the variable was hidden from it.

    `stored` is in its configuration or in its own `.env`, `variable` in whatever environment it
    is started with.
    """
    key = settings.get("apiKey")
    if not key:
        return "missing"
    return "variable" if is_reference(key) else "stored"


def server_url(url: str) -> str:
    """The URL of a server, in the form that the plugin takes.

    Raises:
        ConfigurationError: It is none, or holds a password.
    """
    checked = Settings(url.strip().rstrip("/"))
    if not checked.is_http:
        raise ConfigurationError(
            f"the plugin speaks HTTP, {checked.location!r} does not: `hippocortex serve` serves it"
        )
    if "@" in urlsplit(checked.base_url).netloc:
        raise ConfigurationError(
            f"{checked.location!r} was given with a user name; a server takes an API key instead"
        )
    # As the plugin understands it.
    return checked.base_url + ("" if urlsplit(checked.base_url).path else "/v1")


def is_local(url: str) -> bool:
    """Whether a server is on this machine."""
    return _LOOPBACK.fullmatch(urlsplit(url).hostname or "") is not None


def mapping(value: Any) -> dict[str, Any]:
    """A JSON object; anything else is an empty one."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
