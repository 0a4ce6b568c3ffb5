"""Taking the plugin out of OpenClaw again; the memory itself stays."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hippocortex_openclaw._install.cli import DEFAULT_TIMEOUT, OpenClaw, OpenClawError, find
from hippocortex_openclaw._install.configured import Configured
from hippocortex_openclaw._install.copying import remove_copies
from hippocortex_openclaw._install.inspection import inspect
from hippocortex_openclaw._install.places import PLUGIN, copies_folder, short, spool_folder
from hippocortex_openclaw._install.settings import entry_settings
from hippocortex_openclaw._install.spool import waiting
from hippocortex_openclaw._install.steps import Step


def uninstall(
    *, timeout: float = DEFAULT_TIMEOUT, environ: Mapping[str, str] | None = None
) -> Iterator[Step]:
    """Remove the plugin, its settings and our copies; may be repeated.

    Args:
        timeout: Seconds for each command of OpenClaw.
        environ: Default: the environment of this process.

    Raises:
        OpenClawError: OpenClaw is missing or refuses.
    """
    environ = os.environ if environ is None else environ
    openclaw = find(environ, timeout=timeout)
    openclaw.version()
    before = Configured.read(openclaw)
    settings = entry_settings(before.entry)
    yield from _removed(openclaw, before, environ)
    yield _copies_removed(environ)
    yield _kept(settings, environ)


def _removed(openclaw: OpenClaw, before: Configured, environ: Mapping[str, str]) -> Iterator[Step]:
    output = openclaw.run("plugins", "uninstall", PLUGIN, "--force")
    if output.code == 0:
        yield Step("plugin", "ok", "OpenClaw has removed the plugin and its settings")
        return
    found = inspect(openclaw)
    if found is not None and found.tracked:
        raise OpenClawError(f"`{output.command}` failed: {output.complaint}")
    # It removes only what it has installed.
    folder = None if found is None else found.folder
    if folder is None and not _leftover(before.entry):
        yield Step("plugin", "ok", "OpenClaw does not have it")
        return
    # First the settings: with some for a plugin that has vanished, OpenClaw accepts no change.
    _forget(openclaw, before.allowed)
    yield Step("settings", "ok", "removed from OpenClaw's configuration")
    if folder is not None:
        yield _hand_copy_removed(folder, environ)


def _hand_copy_removed(folder: Path, environ: Mapping[str, str]) -> Step:
    """A copy that was put into the folder of extensions by hand is ours; others are not."""
    if (folder.parent.name, folder.name) == ("extensions", PLUGIN) and not folder.is_symlink():
        try:
            shutil.rmtree(folder)
        except OSError as error:
            raise _irremovable(folder, error) from error
        return Step("plugin", "ok", f"{short(folder, environ)} is removed")
    said = f"{short(folder, environ)} is left: OpenClaw did not install it"
    return Step("plugin", "warn", said, "take it out of plugins.load.paths")


def _leftover(entry: Mapping[str, Any]) -> bool:
    """Whether more is left than the `enabled: false` that OpenClaw leaves itself."""
    return bool(entry.get("hooks") or entry_settings(entry))


def _forget(openclaw: OpenClaw, allowed: list[Any] | None) -> None:
    plugins: dict[str, Any] = {"entries": {PLUGIN: None}}
    others = [one for one in allowed or [] if one != PLUGIN]
    if others and others != allowed:  # an empty list would allow everything, or nothing
        plugins["allow"] = others
    openclaw.patch({"plugins": plugins})


def _copies_removed(environ: Mapping[str, str]) -> Step:
    folder = copies_folder(environ).absolute()
    try:
        gone = remove_copies(folder)
    except OSError as error:
        raise _irremovable(folder, error) from error
    where = short(folder, environ)
    return Step("copies", "ok", f"{where} is removed" if gone else f"there is none in {where}")


def _irremovable(folder: Path, error: OSError) -> OpenClawError:
    return OpenClawError(f"cannot remove {str(folder)!r}: {error.strerror or error}")


def _kept(settings: Mapping[str, Any], environ: Mapping[str, str]) -> Step:
    url = settings.get("baseUrl")
    said = f"what was learned stays{f' at {url}' if url else ' where it is'}"
    spool = waiting(spool_folder(settings, environ))
    if spool.files:
        said += f"; {spool.count} not sent yet, in {short(spool.folder, environ)}, too"
    return Step("memory", "ok", said)
