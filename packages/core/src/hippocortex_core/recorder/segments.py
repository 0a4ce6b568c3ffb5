"""The files of a spool: append-only lines, read from the front, gone when all is read."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path

SUFFIX = ".jsonl"


@dataclass
class Segment:
    """One file; `lines` and the bytes from `offset` on are still wanted."""

    path: Path
    size: int = 0
    offset: int = 0
    lines: int = 0

    @classmethod
    def found(cls, path: Path) -> tuple[Segment, bool]:
        """A file that somebody left behind; and whether its last line is torn."""
        data = path.read_bytes()
        whole = data.rfind(b"\n") + 1
        return cls(path, size=whole, lines=data.count(b"\n")), whole < len(data)

    def read(self, most: int, most_bytes: int) -> list[bytes]:
        """The first lines that are still wanted; at least one, if there is any."""
        lines: list[bytes] = []
        taken = 0
        with self.path.open("rb") as file:
            file.seek(self.offset)
            for line in file:
                taken += len(line)
                if len(lines) == most or (lines and taken > most_bytes):
                    break
                if not line.endswith(b"\n"):
                    break
                lines.append(line)
        return lines

    def skip(self, lines: int, size: int) -> None:
        """The first lines are not wanted any more."""
        self.lines -= lines
        self.offset += size


class Writer:
    """The segment that grows."""

    def __init__(self, path: Path) -> None:
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND
        self._fd = os.open(path, flags | getattr(os, "O_BINARY", 0), 0o600)
        self.segment = Segment(path)

    def write(self, lines: list[bytes]) -> None:
        """Append the lines, all or none.

        Raises:
            OSError: The disk is full or gone.
        """
        data = b"".join(lines)
        written = -1
        try:
            written = os.write(self._fd, data)
        finally:
            if written < len(data):
                os.ftruncate(self._fd, self.segment.size)
        if written < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.segment.size += len(data)
        self.segment.lines += len(lines)

    def sync(self) -> None:
        """Make what is written survive a power cut."""
        os.fsync(self._fd)

    def clear(self) -> None:
        """Start over: everything in it was read."""
        os.ftruncate(self._fd, 0)
        self.segment.size = self.segment.offset = self.segment.lines = 0

    def close(self) -> None:
        """Write no more."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)
