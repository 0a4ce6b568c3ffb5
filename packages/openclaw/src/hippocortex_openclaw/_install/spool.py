"""What waits on disk until the server takes it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_PENDING = ".json"


@dataclass(frozen=True, slots=True)
class Waiting:
    """The files of a spool.

    Attributes:
        folder: Where they are.
        files: How many.
        size: Bytes of all.
        oldest: When the first was written, in seconds since the epoch.
    """

    folder: Path
    files: int = 0
    size: int = 0
    oldest: float | None = None

    @property
    def count(self) -> str:
        """`1 file`, `2,000 files`."""
        return f"{self.files:,} file{'' if self.files == 1 else 's'}"


def waiting(folder: Path) -> Waiting:
    """What waits in the folder; nothing if there is none, or it may not be read."""
    found = [status for path in _pending(folder) if (status := _status(path)) is not None]
    oldest = min((one.st_mtime for one in found), default=None)
    return Waiting(folder, len(found), sum(one.st_size for one in found), oldest)


def _pending(folder: Path) -> list[Path]:
    try:
        # The batches for each server are in a folder of their own.
        return list(folder.rglob(f"*{_PENDING}"))
    except OSError:
        return []


def _status(path: Path) -> os.stat_result | None:
    """Of a file that a gateway may send, and remove, at any moment."""
    try:
        return path.stat()
    except OSError:
        return None
