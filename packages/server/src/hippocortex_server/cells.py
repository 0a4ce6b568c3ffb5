"""Where the state of rate limits is kept: one number a name, in this process or in a shared file.

Workers of one machine share a memory-mapped file.  The libraries that limit rates across
processes want a Redis beside the server; what has to be shared is eight bytes a key, and the
kernel does that: it also takes the lock back from a worker that is killed while it holds it.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import struct
import sys
from collections import OrderedDict
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

Change = Callable[[float], float]
"""From a cell's number to the one that takes its place; 0 is a cell nobody has used."""

SLOTS = 16_384
"""Names that a shared file has room for: half a megabyte."""

_PROBES = 16
_NAMES = 65_536
_HEADER = b"hippocortex-limits-1".ljust(64, b"\0")
_SLOT = struct.Struct("<16sd")


class Cells(Protocol):
    """Numbers by name.

    When room is short, a new name takes the cell of one that was used long ago or has the
    smallest number: numbers are times, and those that have passed mean nothing.
    """

    def update(self, name: str, change: Change) -> None:
        """Change a number, with nobody else changing it meanwhile."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class OwnCells:
    """Cells of this process alone."""

    def __init__(self) -> None:
        self._cells: OrderedDict[str, float] = OrderedDict()

    def update(self, name: str, change: Change) -> None:
        """Change a number."""
        self._cells[name] = change(self._cells.get(name, 0.0))
        self._cells.move_to_end(name)
        if len(self._cells) > _NAMES:
            self._cells.popitem(last=False)

    def close(self) -> None:
        """Nothing to let go of."""


class SharedCells:
    """Cells in a file that other processes of this machine may have open too.

    Args:
        path: the file; made if it is not there, made anew if it is something else.

    Raises:
        OSError: it cannot be made.
    """

    def __init__(self, path: str | Path) -> None:
        self._size = len(_HEADER) + SLOTS * _SLOT.size
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        with locked(self._file):
            if os.read(self._file, len(_HEADER)) != _HEADER:
                os.ftruncate(self._file, 0)
                os.ftruncate(self._file, self._size)
                os.lseek(self._file, 0, os.SEEK_SET)
                os.write(self._file, _HEADER)
            self._map = mmap.mmap(self._file, self._size)

    def update(self, name: str, change: Change) -> None:
        """Change a number."""
        digest = hashlib.blake2b(name.encode(), digest_size=16).digest()
        with locked(self._file):
            place, value = self._find(digest)
            _SLOT.pack_into(self._map, place, digest, change(value))

    def close(self) -> None:
        """Close the file; it stays."""
        self._map.close()
        os.close(self._file)

    def _find(self, digest: bytes) -> tuple[int, float]:
        """Where the digest's number is, and what it is; else the place that is missed least."""
        start = int.from_bytes(digest[:8], "little")
        least = (float("inf"), 0)
        for probe in range(_PROBES):
            place = len(_HEADER) + (start + probe) % SLOTS * _SLOT.size
            owner, value = _SLOT.unpack_from(self._map, place)
            if owner == digest:
                return place, value
            least = min(least, (value, place))
        return least[1], 0.0


if sys.platform == "win32":
    import msvcrt

    @contextmanager
    def locked(file: int) -> Generator[None]:
        """Hold a file while other processes wait."""
        os.lseek(file, 0, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_LOCK, 1)
        try:
            yield
        finally:
            os.lseek(file, 0, os.SEEK_SET)
            msvcrt.locking(file, msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    @contextmanager
    def locked(file: int) -> Generator[None]:
        """Hold a file while other processes wait."""
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)
