"""A file that says that its owner lives: locked for as long as the process does."""

from __future__ import annotations

import os
import sys
from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    def _lock(fd: int) -> None:
        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(fd: int) -> None:
        # Of the open file, not of the process: two recorders of one process exclude each other.
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)


class LifeLock:
    """Holds a file locked; the system lets go when the process dies, however it dies."""

    def __init__(self, path: Path, fd: int) -> None:
        self.path = path
        self._fd = fd

    @classmethod
    def take(cls, path: Path, *, create: bool = False) -> LifeLock | None:
        """The lock, or None if somebody else holds it or it is gone."""
        flags = os.O_RDWR | (os.O_CREAT | os.O_EXCL if create else 0)
        try:
            fd = os.open(path, flags, 0o600)
        except FileNotFoundError:
            return None
        try:
            _lock(fd)
            # Whoever held it may have removed it while we waited to open it.
            if os.path.samestat(os.fstat(fd), path.stat()):
                return cls(path, fd)
        except OSError:
            pass
        os.close(fd)
        if create:
            path.unlink(missing_ok=True)
        return None

    def release(self, *, remove: bool) -> None:
        """Let go; and remove the file, if it guards nothing any more."""
        if remove and sys.platform != "win32":
            self.path.unlink(missing_ok=True)
        self.forsake()
        if remove and sys.platform == "win32":
            self.path.unlink(missing_ok=True)

    def forsake(self) -> None:
        """Close the file only: in the child of a fork the parent goes on holding the lock."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)
