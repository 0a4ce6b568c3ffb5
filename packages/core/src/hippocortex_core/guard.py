"""What keeps an agent safe from its memory: faults are logged, and calls are watched once.

For `wrap`, `auto` and adapters; everything here works at any time, also while a process ends.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar

from hippocortex_core.scope import Scope

_log = logging.getLogger("hippocortex")
_reported: set[str] = set()

inside: ContextVar[bool] = ContextVar("hippocortex_inside_call", default=False)
"""Whether a call that has its memory already is under way: what it calls in turn needs none."""


watchers: list[Callable[[], Scope | None]] = []
"""Each tells whose conversation this is, if something else captures it, such as a checkpointer."""


def captured_as() -> Scope | None:
    """To whom a conversation belongs that something else captures; None if nobody does."""
    return next((found for watch in watchers if (found := watch()) is not None), None)


def strict() -> bool:
    """Whether faults of ours are to be raised: `HIPPOCORTEX_STRICT=1`, meant for tests."""
    return os.environ.get("HIPPOCORTEX_STRICT") == "1"


@contextmanager
def fail_open(doing: str) -> Generator[None]:
    """Log a fault of ours instead of raising it, unless `HIPPOCORTEX_STRICT=1`.

    Args:
        doing: What fails, in a few words that do not change: it is a warning once.
    """
    try:
        yield
    except Exception:
        if strict():
            raise
        level = logging.DEBUG if doing in _reported else logging.WARNING
        _reported.add(doing)
        _log.log(level, "%s failed; the call goes on without memory", doing, exc_info=True)


@contextmanager
def with_memory() -> Generator[None]:
    """What is called inside has its memory already: neither recalled for nor captured again."""
    token = inside.set(True)
    try:
        yield
    finally:
        inside.reset(token)


def say(line: str) -> None:
    """One line to stderr, unless `HIPPOCORTEX_SILENT=1`."""
    if os.environ.get("HIPPOCORTEX_SILENT") != "1":
        print(f"hippocortex: {line}", file=sys.stderr)  # noqa: T201 - the documented channel
