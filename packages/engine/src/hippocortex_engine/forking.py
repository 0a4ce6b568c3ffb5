"""What must start anew in a child process: locks that another thread of the parent held."""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Forkable(Protocol):
    """Something with locks or threads of its own."""

    def after_fork(self) -> None:
        """In a child process: have new ones."""
        ...


_forkable: weakref.WeakSet[Forkable] = weakref.WeakSet()


def renew_after_fork(one: Forkable) -> None:
    """Call `after_fork` of it in every child process, as long as it lives."""
    _forkable.add(one)


def _after_fork_in_child() -> None:
    for one in list(_forkable):
        one.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
