"""Installing the plugin: first what is going to happen, then, once the user agrees, doing it."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hippocortex_openclaw._compat import Version
from hippocortex_openclaw._install.cli import (
    DEFAULT_TIMEOUT,
    OpenClaw,
    OpenClawError,
    find,
)
from hippocortex_openclaw._install.configured import ENTRY, Configured, allow, has_key, key_step
from hippocortex_openclaw._install.copying import copy_plugin, remove_copies
from hippocortex_openclaw._install.inspection import forbids_recall, inspect, verify
from hippocortex_openclaw._install.places import (
    PLUGIN,
    copies_folder,
    copy_place,
    openclaw_state,
    packaged,
    packaged_version,
    short,
)
from hippocortex_openclaw._install.server import Server, probe
from hippocortex_openclaw._install.settings import (
    Wanted,
    config_patch,
    entry_settings,
    is_local,
    mapping,
    server_url,
    shown,
)
from hippocortex_openclaw._install.steps import Step

_INSTALL = ("plugins", "install", "--force", "--accept-capabilities")


@dataclass(frozen=True)
class Plan:
    """What an install is going to do; nothing of it is done yet.

    Attributes:
        openclaw: The command.
        version: Its version.
        url: The memory server that will be told.
        server: What that server answered.
        entry: The plugin's entry in the configuration as it is now.
        changes: The settings to be written.
        copy: The real copy of the plugin that OpenClaw installs from.
        environ: The environment.
    """

    openclaw: OpenClaw
    version: Version
    url: str
    server: Server
    entry: Mapping[str, Any]
    changes: Mapping[str, Any] = field(repr=False)
    copy: Path
    environ: Mapping[str, str] = field(repr=False)

    @property
    def agents(self) -> list[str] | None:
        """The agents that it will work for; None or nobody is all of them."""
        return {**entry_settings(self.entry), **self.changes}.get("agents")

    @property
    def shown_patch(self) -> dict[str, Any]:
        """The patch of the configuration, without a key that stands in it."""
        return shown(config_patch(self.changes))

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands that will be run and change something, in order."""
        return commands(self.copy)

    def found(self) -> list[Step]:
        """What was seen while planning."""
        place = short(self.openclaw.path, self.environ)
        steps = [
            Step("openclaw", "ok", f"OpenClaw {self.version} ({place})"),
            self.server.step(required=False),
        ]
        if self.url.startswith("http://") and not is_local(self.url):
            said = f"{self.url} is another machine: conversations and the key travel in the clear"
            steps.append(Step("transport", "warn", said, "an https:// URL"))
        return steps


def commands(copy: Path) -> tuple[str, ...]:
    """The commands that install the plugin from a copy, as they are typed."""
    return (
        shlex.join(["openclaw", *_INSTALL, str(copy)]),
        "openclaw config patch --stdin",
    )


def prepare(
    wanted: Wanted,
    *,
    api_key: str | None = None,
    timeout: float = DEFAULT_TIMEOUT,
    environ: Mapping[str, str] | None = None,
) -> Plan:
    """Look at OpenClaw, its configuration and the server; change nothing.

    Args:
        wanted: The settings asked for.
        api_key: The key to try at the server.
        timeout: Seconds for each command of OpenClaw.
        environ: Default: the environment of this process.

    Raises:
        OpenClawError: OpenClaw is missing, too old or broken.
    """
    environ = os.environ if environ is None else environ
    copy = copy_place(environ)
    openclaw = find(environ, timeout=timeout)
    version = openclaw.version()
    entry = Configured.read(openclaw).entry
    current = entry_settings(entry)
    changes = wanted.changes(current)
    url = server_url(str({**current, **changes}["baseUrl"]))
    try_key = api_key is not None or not has_key(current, environ)
    server = probe(url, api_key, try_key=try_key)
    return Plan(openclaw, version, url, server, entry, changes, copy, environ)


def install(plan: Plan) -> Iterator[Step]:
    """Do what the plan says, one step after the other; may be repeated.

    Raises:
        OpenClawError: A step is refused; the message says which, and running it again goes on.
    """
    yield _copied(plan)
    before = version_before(plan.environ)
    plan.openclaw.check(*_INSTALL, str(plan.copy))
    yield _installed(before)
    plan.openclaw.patch(config_patch(plan.changes))
    now = Configured.read(plan.openclaw)
    yield _configured(plan, now.entry)
    yield from allow(plan.openclaw, now.allowed)
    yield key_step(entry_settings(now.entry), plan.environ)
    yield from verify(inspect(plan.openclaw), now.entry)
    with suppress(OSError):  # copies of other versions are of no more use, and do no harm
        remove_copies(copies_folder(plan.environ).absolute(), keep=plan.copy.parent)


def place_by_hand(environ: Mapping[str, str] | None = None) -> Step:
    """Copy the plugin where OpenClaw finds it by itself, without running OpenClaw.

    Raises:
        OpenClawError: There is no OpenClaw state, or it cannot be written.
    """
    environ = os.environ if environ is None else environ
    state = openclaw_state(environ)
    if not state.is_dir() and not environ.get("OPENCLAW_STATE_DIR"):
        raise OpenClawError(
            f"there is no OpenClaw state in {str(state)!r}; OPENCLAW_STATE_DIR names another"
        )
    place = state / "extensions" / PLUGIN
    made = _copy(place)
    return Step("copy", "ok", f"{short(place, environ)}{'' if made else ' was there already'}")


def version_before(environ: Mapping[str, str]) -> str | None:
    """The version that is installed already, if that is easily said; it only serves the report."""
    place = openclaw_state(environ) / "extensions" / PLUGIN / "package.json"
    try:
        said: Any = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    version = mapping(said).get("version")
    return version if isinstance(version, str) else None


def _copied(plan: Plan) -> Step:
    made = _copy(plan.copy)
    where = short(plan.copy, plan.environ)
    return Step("copy", "ok", where if made else f"{where} was there already")


def _copy(place: Path) -> bool:
    try:
        return copy_plugin(packaged(), place)
    except OSError as error:
        raise OpenClawError(
            f"cannot copy the plugin to {str(place)!r}: {error.strerror or error}"
        ) from error


def _installed(before: str | None) -> Step:
    now = packaged_version()
    if before is None:
        return Step("plugin", "ok", f"{PLUGIN} {now} is installed")
    again = "again" if before == now else f"instead of {before}"
    return Step("plugin", "ok", f"{PLUGIN} {now} is installed {again}")


def _configured(plan: Plan, entry: Mapping[str, Any]) -> Step:
    kept = sorted(entry_settings(entry).keys() - plan.changes.keys() - {"apiKey", "baseUrl"})
    message = f"it may read conversations and sends them to {plan.url}"
    if forbids_recall(entry):
        fix = f"openclaw config unset {ENTRY}.hooks.allowPromptInjection"
        message += "; recall is off, since it must not put anything into prompts"
        return Step("settings", "warn", message, fix)
    return Step("settings", "ok", message + (f"; kept: {', '.join(kept)}" if kept else ""))
