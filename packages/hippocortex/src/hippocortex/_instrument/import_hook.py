"""Seeing a module right after it is imported, or now if it was already."""

from __future__ import annotations

import importlib.machinery
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from types import ModuleType
from typing import Any


class ImportHook(MetaPathFinder):
    """Calls `seen` with each of the modules, once it was executed.

    Args:
        names: Full names of modules; none of them is imported from here.
        seen: Must not raise.
    """

    def __init__(self, names: Sequence[str], seen: Callable[[ModuleType], None]) -> None:
        self._names = frozenset(names)
        self._seen = seen

    def install(self) -> None:
        """Start watching."""
        sys.meta_path.insert(0, self)
        for name in self._names:
            module = sys.modules.get(name)
            # One that is being imported in another thread right now tells us through its loader.
            if module is not None and not _is_initializing(module):
                self._seen(module)

    def remove(self) -> None:
        """Stop watching."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The spec that the other finders have, with a loader that calls `seen`."""
        if fullname not in self._names:
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        for finder in others:
            find = getattr(finder, "find_spec", None)
            spec = find(fullname, path, target) if find is not None else None
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _SeeingLoader(spec.loader, self._seen)
                return spec
        return None


class _SeeingLoader(Loader):
    """A module's own loader, and then `seen`."""

    def __init__(self, loader: Loader, seen: Callable[[ModuleType], None]) -> None:
        self._loader = loader
        self._seen = seen

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        # The module keeps its own loader: others ask it for source and resources.
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        self._seen(module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)


def _is_initializing(module: ModuleType) -> bool:
    return bool(getattr(module.__spec__, "_initializing", False))
