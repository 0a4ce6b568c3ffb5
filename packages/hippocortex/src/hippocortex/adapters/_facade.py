"""Names of another distribution, loaded when they are asked for."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection
from typing import Any

from hippocortex_core.errors import MissingExtraError


def lazily(
    adapter: str, names: Collection[str], *, extra: str, framework: Collection[str]
) -> Callable[[str], Any]:
    """A module's `__getattr__` that takes the names from an adapter.

    Args:
        adapter: The module that has them.
        names: That are given away.
        extra: Of `hippocortex`, which installs the adapter and its framework.
        framework: Top-level modules of the framework: one that is missing is a missing extra, any
            other import that fails is the framework's own problem and shows as it is.
    """
    optional = {adapter, *framework}

    def get(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"the facade of {adapter!r} has no attribute {name!r}")
        try:
            return getattr(importlib.import_module(adapter), name)
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] not in optional:
                raise
            raise MissingExtraError(
                f"{name} needs {error.name!r}: pip install 'hippocortex[{extra}]'"
            ) from error

    return get
