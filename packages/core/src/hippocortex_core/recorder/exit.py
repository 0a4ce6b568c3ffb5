"""The ends of a process, and its forks: what every recorder must do there."""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
from typing import Any, Protocol
from weakref import WeakSet


class Resident(Protocol):
    """Something that lives as long as the process."""

    def at_exit(self) -> None:
        """Finish, within a deadline."""
        ...

    def before_fork(self) -> None:
        """Come to rest."""
        ...

    def after_fork_in_parent(self) -> None:
        """Go on."""
        ...

    def after_fork(self) -> None:
        """Begin anew in the child of a fork."""
        ...


_residents: WeakSet[Resident] = WeakSet()
_armed: set[int] = set()


def register(resident: Resident) -> None:
    """Tell it of forks, and of the end of the process, as long as it lives."""
    _residents.add(resident)


def arm() -> None:
    """Also be told when a `multiprocessing` child ends, which runs no atexit handlers."""
    process: Any = sys.modules.get("multiprocessing.process")
    util: Any = sys.modules.get("multiprocessing.util")
    if process is None or util is None or process.parent_process() is None:
        return
    if os.getpid() not in _armed:
        _armed.add(os.getpid())
        util.Finalize(None, _at_exit, exitpriority=0)


def _at_exit() -> None:
    for resident in list(_residents):
        with contextlib.suppress(Exception):
            resident.at_exit()


def _before_fork() -> None:
    for resident in list(_residents):
        resident.before_fork()


def _after_fork_in_parent() -> None:
    for resident in list(_residents):
        resident.after_fork_in_parent()


def _after_fork() -> None:
    for resident in list(_residents):
        resident.after_fork()


# Registered on import, so early: handlers run last in first out, and others may still record.
atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork,
    )
