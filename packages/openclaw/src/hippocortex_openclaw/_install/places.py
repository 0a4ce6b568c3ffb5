"""Where things are: the packaged plugin, our copies of it, and what belongs to OpenClaw."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hippocortex_openclaw._install.cli import OpenClawError

if TYPE_CHECKING:
    from importlib.abc import Traversable

PLUGIN = "hippocortex"
"""Id of the plugin, and name of its folder."""


def packaged() -> Traversable:
    """The plugin as it came with this package.

    Raises:
        OpenClawError: It did not.
    """
    folder = files("hippocortex_openclaw") / "plugin"
    if not (folder / "openclaw.plugin.json").is_file():
        raise OpenClawError(
            "the plugin's files are missing: pip install --force-reinstall 'hippocortex[openclaw]'"
        )
    return folder


def packaged_version() -> str:
    """Its version."""
    manifest = json.loads((packaged() / "package.json").read_text(encoding="utf-8"))
    return str(manifest["version"])


def defaults() -> dict[str, Any]:
    """The settings that hold where nobody says otherwise, by the plugin's manifest."""
    text = (packaged() / "openclaw.plugin.json").read_text(encoding="utf-8")
    declared = json.loads(text)["configSchema"]["properties"]
    return {name: said["default"] for name, said in declared.items() if "default" in said}


def copies_folder(environ: Mapping[str, str]) -> Path:
    """Our copies of the plugin: in `HIPPOCORTEX_STATE_DIR`, else in `~/.hippocortex`."""
    given = environ.get("HIPPOCORTEX_STATE_DIR")
    return (Path(given) if given else _home(environ) / ".hippocortex") / "openclaw"


def copy_place(environ: Mapping[str, str]) -> Path:
    """The copy that OpenClaw installs from."""
    return copies_folder(environ).absolute() / packaged_version() / PLUGIN


def openclaw_state(environ: Mapping[str, str]) -> Path:
    """OpenClaw's state folder, by the rules of its documentation ("Environment variables")."""
    if given := _set(environ, "OPENCLAW_STATE_DIR"):
        return _expanded(given, environ)
    profile = _set(environ, "OPENCLAW_PROFILE")
    name = f".openclaw-{profile}" if profile and profile != "default" else ".openclaw"
    moved = _set(environ, "OPENCLAW_HOME")
    return (_expanded(moved, environ) if moved else _home(environ)) / name


def dotenv(environ: Mapping[str, str]) -> Path:
    """The file of variables that OpenClaw reads however it is started."""
    return openclaw_state(environ) / ".env"


def spool_folder(settings: Mapping[str, object], environ: Mapping[str, str]) -> Path:
    """Where the plugin keeps what the server has not taken yet."""
    said = settings.get("spoolDir")
    given = said.strip() if isinstance(said, str) else ""
    if not given:
        return openclaw_state(environ) / "hippocortex" / "spool"
    if given.startswith("~/"):
        return _home(environ) / given[2:]
    return openclaw_state(environ) / given


def short(path: Path, environ: Mapping[str, str]) -> str:
    """A path to show, from `~` on where it lies below the home folder."""
    try:
        return str(Path("~") / path.relative_to(_home(environ)))
    except ValueError:
        return str(path)


def _home(environ: Mapping[str, str]) -> Path:
    given = environ.get("HOME") or environ.get("USERPROFILE")
    return Path(given) if given else Path.home()


def _expanded(text: str, environ: Mapping[str, str]) -> Path:
    if text == "~" or text.startswith(("~/", "~\\")):
        return _home(environ) / text[2:]
    return Path(os.path.abspath(text))  # noqa: PTH100 - as OpenClaw does, without resolving links


def _set(environ: Mapping[str, str], name: str) -> str | None:
    """A variable, unless it is blank or holds what a careless script writes for nothing."""
    value = environ.get(name, "").strip()
    return None if value in {"", "undefined", "null"} else value
