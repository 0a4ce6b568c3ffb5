"""What was met lately, in bounded space."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """The entries of late: two generations, that make room without locks or iterating."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}

    def get(self, key: K) -> V | None:
        """The entry, if it is one of the last `size` ones."""
        found = self._young.get(key)
        if found is None and (found := self._old.get(key)) is not None:
            self[key] = found
        return found

    def pop(self, key: K) -> V | None:
        """The entry, which is forgotten."""
        old = self._old.pop(key, None)
        return self._young.pop(key, old)

    def of(self, key: K, new: V) -> V:
        """The entry, or the new one if there is none: the same for threads that ask at once."""
        found = self.get(key)
        if found is None:
            self._make_room()
            found = self._young.setdefault(key, new)
        return found

    def __setitem__(self, key: K, value: V) -> None:
        self._make_room()
        self._young[key] = value

    def _make_room(self) -> None:
        if len(self._young) >= self._size:
            self._old, self._young = self._young, {}
