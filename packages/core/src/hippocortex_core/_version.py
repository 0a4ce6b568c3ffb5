"""The installed version, looked up only when somebody asks."""

from __future__ import annotations

from functools import cache


@cache
def version() -> str:
    """The version of the installed distribution, `0` when run from a bare source tree."""
    from importlib import metadata  # noqa: PLC0415 - slow to import, and seldom needed

    try:
        return metadata.version("hippocortex-core")
    except metadata.PackageNotFoundError:
        return "0"
