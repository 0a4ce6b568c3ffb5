"""What `doctor` looks at, one function each."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from hippocortex.cli.errors import describe
from hippocortex.cli.output import count
from hippocortex.cli.state import State, open_memory
from hippocortex_core.config import CLOUD_URL, CONFIG_FILE, Settings
from hippocortex_core.errors import HippocortexError

_OLDEST_PYTHON = (3, 10)
_LOW, _TOO_LOW = 500 << 20, 50 << 20
_PACKAGES = ("hippocortex", "hippocortex-core", "hippocortex-engine", "hippocortex-server")
_OPTIONAL = frozenset({"hippocortex-engine", "hippocortex-server"})


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report; a `fix` says what to do unless all is well."""

    name: str
    status: Literal["ok", "warn", "fail"]
    message: str
    fix: str | None = None


def python() -> Check:
    """The interpreter and where it runs."""
    where = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    if sys.version_info < _OLDEST_PYTHON:
        return Check("python", "fail", where, "use Python 3.10 or newer")
    return Check("python", "ok", where)


def packages() -> Check:
    """The versions of our packages; they are released together."""
    found = {name: _version(name) for name in _PACKAGES}
    listed = ", ".join(f"{name} {number or 'not installed'}" for name, number in found.items())
    missing = [name for name, number in found.items() if number is None and name not in _OPTIONAL]
    if missing:
        return Check("packages", "fail", listed, f"pip install {' '.join(missing)}")
    if len({number for number in found.values() if number is not None}) > 1:
        return Check("packages", "warn", listed, "pip install --upgrade 'hippocortex[local]'")
    return Check("packages", "ok", listed)


def home(options: State, settings: Settings) -> Check:
    """Which home holds, and who says so; the key only in outline."""
    key = f", key {masked(settings.api_key)}" if settings.api_key else ""
    message = f"{settings.location} ({_reason(options, settings)}){key}"
    if settings.is_http and not settings.api_key:
        fix = "set HIPPOCORTEX_API_KEY unless this service takes none"
        return Check("home", "warn", message, fix)
    return Check("home", "ok", message)


def embedding() -> Check:
    """Whether the default embedding model is there and answers."""
    try:
        from hippocortex_engine.embeddings.static import StaticEmbedder  # noqa: PLC0415

        model = StaticEmbedder()
        width = len(model.embed(["ready"])[0])
    except (HippocortexError, ImportError, OSError) as error:
        fix = "pip install --force-reinstall 'hippocortex[local]'"
        return Check("embedding", "fail", describe(error), fix)
    return Check("embedding", "ok", f"{model.name}, {width} dimensions, no download needed")


_OLDEST_SQLITE = (3, 35)  # INSERT and UPDATE … RETURNING


def sqlite() -> Check:
    """Version of the SQLite in this Python."""
    message = f"SQLite {sqlite3.sqlite_version}"
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        return Check("sqlite", "fail", message, "use a Python with SQLite 3.35 or newer")
    return Check("sqlite", "ok", message)


def database(path: Path) -> Iterator[Check]:
    """The database file: permissions, journal, and the room it has to grow."""
    folder = next(place for place in path.absolute().parents if place.exists())
    yield _permissions(path, folder)
    if path.exists() and os.access(path, os.R_OK):
        yield _journal(path)
    free = shutil.disk_usage(folder).free
    status = "ok" if free > _LOW else "warn" if free > _TOO_LOW else "fail"
    fix = None if status == "ok" else f"make room on the disk of {folder}"
    yield Check("disk", status, f"{free / (1 << 30):.1f} GiB free", fix)


def contents(options: State, settings: Settings) -> Check:
    """Whether the memory opens and answers, and what it holds."""
    try:
        with open_memory(options.home, options.api_key) as memory:
            health = memory.health()
            events = memory.list_events(limit=1).pagination.total
            artifacts = memory.list_artifacts(limit=1).pagination.total
    except HippocortexError as error:
        return Check("memory", "fail", describe(error), _remedy(settings))
    message = f"{count(events, 'event')}, {count(artifacts, 'artifact')} ({health.store})"
    if health.status != "ok":
        return Check("memory", "warn", f"{message}, {health.status}", _remedy(settings))
    return Check("memory", "ok", message)


def database_path(settings: Settings) -> Path | None:
    """The file of a SQLite home."""
    if not settings.base_url.startswith("sqlite"):
        return None
    path = settings.base_url.partition(":///")[2].partition("?")[0]
    return Path(path) if path and path != ":memory:" else None


def masked(key: str) -> str:
    """Enough of a key to recognise it, too little to use it."""
    prefix = key[: key.rfind("_") + 1][:8]
    return f"{prefix}…{key[-4:]}" if len(key) >= 16 else f"{prefix}…"  # noqa: PLR2004


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _reason(options: State, settings: Settings) -> str:
    """Which of the sources named the home, in the order they are asked."""
    if options.home:
        return "from --home"
    if os.environ.get("HIPPOCORTEX_BASE_URL", "").strip():
        return "from HIPPOCORTEX_BASE_URL"
    if settings.is_default:
        return "the default: nothing names another home"
    said = next((p for p in _config_files() if p.is_file()), None)
    if said is not None and settings.base_url.rstrip("/") in said.read_text("utf-8", "replace"):
        return f"from {said}"
    return "an API key without a URL" if settings.base_url == CLOUD_URL else f"from {said}"


def _config_files() -> Iterator[Path]:
    here = Path.cwd()
    return (folder / CONFIG_FILE for folder in (here, *here.parents))


def _permissions(path: Path, folder: Path) -> Check:
    target = path if path.exists() else folder
    if not os.access(target, os.R_OK | os.W_OK):
        return Check("permissions", "fail", f"{target} cannot be written", f"chmod u+rw {target}")
    if os.name == "posix" and path.exists() and path.stat().st_mode & 0o002:
        fix = f"chmod o-w {path}"
        return Check("permissions", "warn", f"{path} can be written by everyone", fix)
    return Check("permissions", "ok", f"{target} can be written")


def _journal(path: Path) -> Check:
    """WAL lets others read while one writes."""
    try:
        uri = f"{path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=2)) as opened:
            mode = str(opened.execute("PRAGMA journal_mode").fetchone()[0])
    except sqlite3.Error as error:
        fix = "restore the file from a backup, or name another home; it was not touched"
        return Check("journal", "fail", f"{path}: {error}", fix)
    if mode != "wal":
        return Check("journal", "warn", f"{mode}, not WAL", "keep the file on a local disk")
    return Check("journal", "ok", "WAL: several processes may share the file")


def _remedy(settings: Settings) -> str:
    if settings.is_http:
        return "check the URL, the key, and that the service runs"
    return "restore the database from a backup, or name another with --home"
