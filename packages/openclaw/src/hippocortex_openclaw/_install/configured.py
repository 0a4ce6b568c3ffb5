"""What OpenClaw's configuration says of the plugin, and of the key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from hippocortex_openclaw._install.cli import KEY_VARIABLE, OpenClaw
from hippocortex_openclaw._install.places import PLUGIN, dotenv, short
from hippocortex_openclaw._install.settings import key_state, mapping
from hippocortex_openclaw._install.steps import Step

ENTRY = f"plugins.entries.{PLUGIN}"


@dataclass(frozen=True)
class Configured:
    """What OpenClaw's configuration says of the plugin.

    Attributes:
        entry: Its entry; empty if it has none.
        allowed: The list of the only plugins allowed; None if all are.
    """

    entry: Mapping[str, Any]
    allowed: list[Any] | None

    @classmethod
    def read(cls, openclaw: OpenClaw) -> Configured:
        """As OpenClaw reads it.

        Raises:
            OpenClawError: The configuration is broken.
        """
        plugins = mapping(openclaw.config("plugins"))
        allowed: Any = plugins.get("allow")
        entry = mapping(mapping(plugins.get("entries")).get(PLUGIN))
        return cls(entry, cast("list[Any]", allowed) if isinstance(allowed, list) else None)


def allow(openclaw: OpenClaw, allowed: list[Any] | None) -> Iterator[Step]:
    """Add the plugin to the list of allowed plugins, where there is one that lacks it.

    The list is exclusive, so none is made; and OpenClaw adds what it installs by itself.
    """
    if allowed is None or PLUGIN in allowed:
        return
    openclaw.patch({"plugins": {"allow": [*allowed, PLUGIN]}})
    yield Step("allowlist", "ok", f"{PLUGIN} was added to plugins.allow")


def key_step(settings: Mapping[str, Any], environ: Mapping[str, str]) -> Step:
    """Whether OpenClaw will have the API key, wherever it is started from."""
    if key_state(settings) == "stored":
        return Step("key", "ok", "OpenClaw has it, in its configuration or in its .env")
    file = short(dotenv(environ), environ)
    fix = f"put {KEY_VARIABLE}=… into {file}, or run `hippocortex openclaw install --store-key`"
    if environ.get(KEY_VARIABLE):
        said = f"{KEY_VARIABLE} of this shell; a gateway that runs as a service does not see it"
        return Step("key", "warn", said, fix)
    return Step("key", "warn", f"OpenClaw has none: {KEY_VARIABLE} is not set", fix)


def has_key(settings: Mapping[str, Any], environ: Mapping[str, str]) -> bool:
    """Whether OpenClaw has a key of its own, which we do not know."""
    try:
        lines = dotenv(environ).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    declared = any(line.removeprefix("export ").startswith(f"{KEY_VARIABLE}=") for line in lines)
    return declared or key_state(settings) == "stored"
