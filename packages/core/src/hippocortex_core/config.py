"""Where the memory lives: arguments, then the environment, then `.hippocortex.json`.

What one source leaves out, the next may say.  The home is chosen by the URL alone: `http(s)://` is
a service, `sqlite:///` and `postgresql://` are the embedded engine.  When nothing says anything,
the memory is the file `.hippocortex/memory.db` in the working directory.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast
from urllib.parse import SplitResult, urlsplit

from hippocortex_core.errors import ConfigurationError

CLOUD_URL = "https://api.hippocortex.dev/v1"
CONFIG_FILE = ".hippocortex.json"
HOME_FOLDER = ".hippocortex"
ENGINE_MODULE = "hippocortex_engine"
DEFAULT_TIMEOUT = 30.0

_HTTP = frozenset({"http", "https"})
_ENGINE = frozenset({"sqlite", "postgresql", "postgres"})
_announced: set[str] = set()


@dataclass(frozen=True)
class Settings:
    """A home and how to talk to it.

    Attributes:
        base_url: The home, without a trailing slash.
        api_key: For a service; a local one may do without.
        timeout: Seconds to wait for a service to connect, to take or to give data.
        is_default: Whether nobody named this home.
    """

    base_url: str = field(repr=False)
    api_key: str | None = field(default=None, repr=False)
    timeout: float = DEFAULT_TIMEOUT
    is_default: bool = False

    def __post_init__(self) -> None:
        _check_url(self.base_url)
        _check_key(self.api_key)
        _check_timeout(self.timeout)

    @property
    def is_http(self) -> bool:
        """Whether the home is a service; otherwise it is the engine in this process."""
        return _scheme(self.base_url) in _HTTP

    @property
    def location(self) -> str:
        """The base URL to show: without user name and password."""
        return _without_credentials(urlsplit(self.base_url), self.base_url)


def resolve(
    api_key: str | None = None,
    base_url: str | None = None,
    timeout: float = DEFAULT_TIMEOUT,
    *,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Settings:
    """The settings that hold here; reads at most one small file.

    Args:
        api_key: Default: `HIPPOCORTEX_API_KEY`, then `apiKey` of the file.
        base_url: Default: `HIPPOCORTEX_BASE_URL`, then `baseUrl` of the file; then the cloud if
            there is a key, and else the embedded engine.
        timeout: Seconds, positive.
        environ: Default: the environment of this process.
        folder: Where to look for `.hippocortex.json` first, then upward; default: the working
            directory.

    Raises:
        ConfigurationError: Nothing names a home and no engine is installed, or what names it is
            broken.
    """
    environ = os.environ if environ is None else environ
    key = _first(api_key, environ.get("HIPPOCORTEX_API_KEY"))
    url = _first(base_url, environ.get("HIPPOCORTEX_BASE_URL"))
    if url is None or (key is None and _scheme(url) in _HTTP):
        said = _read_nearest(folder)
        key, url = _first(key, said.get("apiKey")), _first(url, said.get("baseUrl"))
    if url is None and key is not None:
        url = CLOUD_URL
    if url is not None:
        return Settings(url.rstrip("/") if _scheme(url) in _HTTP else url, key, timeout)
    if find_spec(ENGINE_MODULE) is None:
        raise ConfigurationError(
            "nothing says where the memory lives: set HIPPOCORTEX_API_KEY (or HIPPOCORTEX_BASE_URL)"
            " to use a service, or `pip install 'hippocortex[local]'` to keep it in this folder"
        )
    return default_home(timeout, folder=folder)


def default_home(timeout: float = DEFAULT_TIMEOUT, *, folder: Path | None = None) -> Settings:
    """The home when nobody names one: the embedded engine in the (working) folder."""
    database = _working_folder(folder) / HOME_FOLDER / "memory.db"
    return Settings(f"sqlite:///{database.as_posix()}", None, timeout, is_default=True)


def prepare_default_home(settings: Settings, *, announce: bool = True) -> None:
    """Make the default home's folder, hide it from git, and say once where the memory lives."""
    if not settings.is_default:
        return
    folder = Path(settings.base_url.removeprefix("sqlite:///")).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        ignore = folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"cannot keep a memory in {folder}: {error.strerror}") from error
    if not announce:
        return
    if settings.base_url not in _announced and os.environ.get("HIPPOCORTEX_SILENT") != "1":
        print(f"hippocortex: memory lives in {folder / 'memory.db'}", file=sys.stderr)  # noqa: T201
    _announced.add(settings.base_url)


# --- the file ------------------------------------------------------------------------------------


def _read_nearest(folder: Path | None) -> dict[str, str | None]:
    """What the nearest file says; nothing if there is none."""
    start = _working_folder(folder)
    for place in (start, *start.parents):
        if (path := place / CONFIG_FILE).is_file():
            return _read_file(path)
    return {}


def _read_file(path: Path) -> dict[str, str | None]:
    try:
        said: object = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigurationError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{path} is not valid JSON: {error}") from error
    if not isinstance(said, dict):
        raise ConfigurationError(f"{path} must hold a JSON object")
    values = cast("dict[str, Any]", said)
    for name in ("apiKey", "baseUrl"):
        if not isinstance(values.get(name), (str, type(None))):
            raise ConfigurationError(f"{path}: {name!r} must be a string")
    return values


def _working_folder(folder: Path | None) -> Path:
    try:
        return folder.resolve() if folder else Path.cwd()
    except OSError as error:
        raise ConfigurationError(f"the working directory is gone: {error.strerror}") from error


# --- checks --------------------------------------------------------------------------------------


def _first(*values: str | None) -> str | None:
    """The first that is not blank; a key pasted with a newline is still a key."""
    return next((value.strip() for value in values if value and value.strip()), None)


def _scheme(url: str) -> str:
    return url.partition("://")[0].lower()


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        broken = parts.scheme in _HTTP and parts.port == 0  # reading the port checks it
    except ValueError as error:
        raise ConfigurationError(f"the base URL is broken: {error}") from None
    shown = _without_credentials(parts, url)
    if parts.scheme not in _HTTP and parts.scheme.partition("+")[0] not in _ENGINE:
        raise ConfigurationError(
            f"unknown kind of base URL {shown!r}: it must start with"
            " http://, https://, sqlite:/// or postgresql://"
        )
    if parts.scheme in _HTTP and (
        broken or not parts.hostname or parts.query or parts.fragment or " " in url
    ):
        raise ConfigurationError(f"the base URL {shown!r} must be a host and a path, nothing else")


def _check_key(key: str | None) -> None:
    if key is not None and not (key.isascii() and key.isprintable() and " " not in key):
        raise ConfigurationError(
            "the API key holds characters that no key has; was it pasted whole?"
        )


def _check_timeout(timeout: float) -> None:
    number = isinstance(timeout, (int, float)) and not isinstance(timeout, bool)  # pyright: ignore[reportUnnecessaryIsInstance]
    if not number or not math.isfinite(timeout) or timeout <= 0:
        raise ConfigurationError(f"timeout must be a positive number of seconds, got {timeout!r}")


def _without_credentials(parts: SplitResult, url: str) -> str:
    return url.replace(f"{parts.netloc.rpartition('@')[0]}@", "", 1) if "@" in parts.netloc else url
