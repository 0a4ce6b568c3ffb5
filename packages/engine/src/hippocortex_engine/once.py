"""Attributes that are made on first use, by one thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")


class once(Generic[T]):  # noqa: N801 - used like functools.cached_property
    """Like `functools.cached_property`, and never made twice.

    From Python 3.12 on two threads that come first together would each make one, and go on with
    different ones: fatal where what is made holds a lock.
    """

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        """Remember what it is called."""
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> once[T]: ...

    @overload
    def __get__(self, instance: object, owner: type) -> T: ...

    def __get__(self, instance: object | None, owner: type) -> T | once[T]:
        """The value; made now if it was not before.  Later uses do not come here."""
        if instance is None:
            return self
        made: dict[str, Any] = instance.__dict__
        with made.setdefault(_lock_of(self._name), threading.RLock()):
            if self._name not in made:
                made[self._name] = self._make(instance)
            return made[self._name]


def unmake(instance: object, *names: str) -> None:
    """Forget what was made under these names, and locks that a thread of a parent may hold."""
    made: dict[str, Any] = instance.__dict__
    for name in names:
        made.pop(name, None)
    for name in [name for name in made if name.startswith(_LOCK)]:
        del made[name]


_LOCK = "lock of "


def _lock_of(name: str) -> str:
    return _LOCK + name
