"""How the plugin does: OpenClaw, the plugin in it, its settings, the server, and what waits."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hippocortex_core.errors import ConfigurationError
from hippocortex_openclaw._install.cli import DEFAULT_TIMEOUT, OpenClaw, OpenClawError, find
from hippocortex_openclaw._install.configured import ENTRY, Configured, key_step
from hippocortex_openclaw._install.inspection import (
    Inspection,
    allows_reading,
    forbids_recall,
    inspect,
    verify,
)
from hippocortex_openclaw._install.places import PLUGIN, packaged_version, short, spool_folder
from hippocortex_openclaw._install.server import Server, probe
from hippocortex_openclaw._install.settings import (
    DEFAULT_URL,
    entry_settings,
    is_reference,
    key_state,
    server_url,
)
from hippocortex_openclaw._install.spool import Waiting, waiting
from hippocortex_openclaw._install.steps import Step

_AGAIN = "hippocortex openclaw install"
_UNITS = ((86_400, "days"), (3_600, "hours"), (60, "minutes"), (1, "seconds"))


@dataclass
class Status:
    """What was found out; None where one could not get so far.

    Attributes:
        openclaw: The command.
        version: Of OpenClaw.
        packaged: Version of the plugin in this package.
        plugin: The plugin as OpenClaw has it.
        entry: Its entry in the configuration.
        allowed: Whether no list of allowed plugins leaves it out.
        server: What the memory server answered.
        spool: What waits to be sent.
        steps: All of this as lines of a report.
    """

    openclaw: OpenClaw | None = None
    version: str | None = None
    packaged: str = field(default_factory=packaged_version)
    plugin: Inspection | None = None
    entry: Mapping[str, Any] = field(default_factory=dict[str, Any])
    allowed: bool = True
    server: Server | None = None
    spool: Waiting | None = None
    steps: list[Step] = field(default_factory=list[Step])

    @property
    def ok(self) -> bool:
        """Whether nothing fails."""
        return all(step.status != "fail" for step in self.steps)

    @property
    def reads_conversations(self) -> bool:
        """Whether the plugin may read conversations."""
        return allows_reading(self.entry)

    @property
    def settings(self) -> dict[str, Any]:
        """The plugin's settings, without a key."""
        settings = entry_settings(self.entry)
        key = settings.get("apiKey")
        return settings | ({"apiKey": "…"} if key and not is_reference(key) else {})


def look(
    status: Status,
    *,
    api_key: str | None = None,
    timeout: float = DEFAULT_TIMEOUT,
    environ: Mapping[str, str] | None = None,
    now: Callable[[], float] = time.time,
) -> Iterator[Step]:
    """Find everything out, as far as that goes; each step is told as soon as it is known.

    Args:
        status: Where it is noted.
        api_key: The key to try at the server.
        timeout: Seconds for each command of OpenClaw.
        environ: Default: the environment of this process.
        now: Seconds since the epoch.
    """
    environ = os.environ if environ is None else environ
    for step in _all(status, api_key, timeout, environ, now):
        status.steps.append(step)
        yield step


def _all(
    status: Status,
    api_key: str | None,
    timeout: float,
    environ: Mapping[str, str],
    now: Callable[[], float],
) -> Iterator[Step]:
    try:
        yield from _openclaw(status, timeout, environ)
        if status.openclaw is not None:
            yield from _plugin(status, status.openclaw)
    except OpenClawError as error:
        yield Step("openclaw", "fail", error.message)
    if status.plugin is not None:
        yield from _settings(status, environ)
        yield _server(status, api_key)
    yield _spool(status, environ, now)


def _openclaw(status: Status, timeout: float, environ: Mapping[str, str]) -> Iterator[Step]:
    found = find(environ, timeout=timeout)
    status.version = str(found.version())
    status.openclaw = found
    place = short(found.path, environ)
    yield Step("openclaw", "ok", f"OpenClaw {status.version} ({place})")


def _plugin(status: Status, openclaw: OpenClaw) -> Iterator[Step]:
    configured = Configured.read(openclaw)
    status.entry = configured.entry
    status.allowed = configured.allowed is None or PLUGIN in configured.allowed
    status.plugin = inspect(openclaw)
    yield _installed(status)
    if status.plugin is None:
        return
    if not status.allowed:
        said = "plugins.allow lists other plugins only, so OpenClaw leaves this one out"
        yield Step("allowlist", "fail", said, _AGAIN)
    yield from verify(status.plugin, status.entry)


def _installed(status: Status) -> Step:
    if status.plugin is None:
        said = f"not installed ({status.packaged} is packaged)"
        return Step("plugin", "fail", said, _AGAIN)
    here = f"{PLUGIN} {status.plugin.version or 'of unknown version'}"
    if status.plugin.version != status.packaged:
        return Step("plugin", "warn", f"{here}, but {status.packaged} is packaged", _AGAIN)
    return Step("plugin", "ok", here)


def _settings(status: Status, environ: Mapping[str, str]) -> Iterator[Step]:
    if not allows_reading(status.entry):
        said = "the plugin may not read conversations: nothing is recalled or captured"
        yield Step("access", "fail", said, _AGAIN)
    elif forbids_recall(status.entry):
        fix = f"openclaw config unset {ENTRY}.hooks.allowPromptInjection"
        yield Step("access", "warn", "it may read conversations, but put nothing in prompts", fix)
    else:
        yield Step("access", "ok", "it may read conversations and put memories into prompts")
    settings = status.settings
    listed = ", ".join(f"{name}={_shown(settings[name])}" for name in sorted(settings))
    yield Step("settings", "ok", listed or "all as they are by default")
    yield key_step(settings, environ)


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _server(status: Status, api_key: str | None) -> Step:
    settings = entry_settings(status.entry)
    known = api_key is not None or key_state(settings) != "stored"
    try:
        url = server_url(str(settings.get("baseUrl") or DEFAULT_URL))
    except ConfigurationError as error:
        return Step("server", "fail", error.message, f"{_AGAIN} --base-url URL")
    status.server = probe(url, api_key, try_key=known)
    return status.server.step(required=True)


def _spool(status: Status, environ: Mapping[str, str], now: Callable[[], float]) -> Step:
    found = status.spool = waiting(spool_folder(entry_settings(status.entry), environ))
    where = short(found.folder, environ)
    if found.oldest is None:
        return Step("spool", "ok", f"nothing waits in {where}")
    age = _age(now() - found.oldest)
    said = f"{found.count} not sent yet ({found.size:,} bytes) in {where}, for {age}"
    return Step("spool", "warn", said, "they are sent once the server answers during a turn")


def _age(seconds: float) -> str:
    whole = max(int(seconds), 0)
    for unit, name in _UNITS:
        if whole >= unit:
            return f"{whole // unit} {name if whole // unit > 1 else name[:-1]}"
    return "less than a second"
