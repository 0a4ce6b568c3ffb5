"""Events on their way, kept on disk until the service has them: first in, first out.

Each recorder of each process appends to segments of its own, guarded by a lock that lives as long
as the process.  Segments whose lock nobody holds were left behind by a process that died: whoever
opens the folder next takes them over, ahead of its own.

    0000001763650000123-000001-4fd1c2.jsonl          lines of JSON, redacted, without any API key
    4fd1c2.lock                                      held while its recorder lives
    0000001763650000123-000001-9b0e77-4fd1c2.jsonl   taken over from 9b0e77, which died

A name keeps the token of who wrote the segment: two processes may begin one at the same moment.

What is delivered is forgotten by the segment: if a process dies in between, at most a segment's
events are sent twice, and their idempotency keys make that once.  Where the disk cannot be used
the same order is kept in memory.
"""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from hippocortex_core.recorder.locks import LifeLock
from hippocortex_core.recorder.segments import SUFFIX, Segment, Writer

SEGMENT_BYTES = 1 << 20
SPOOL_BYTES = 64 << 20
_LOCK = ".lock"
_TRIES = 5
_PRIVATE = 0o700


class Spool:
    """A queue of lines; used by one thread at a time.

    Args:
        folder: Where to keep them; None: in memory.
        max_bytes: On disk; beyond it the oldest segment is dropped.
        max_memory: Lines in memory where the disk cannot be used; beyond it the oldest is dropped.
    """

    def __init__(
        self,
        folder: Path | None,
        max_bytes: int = SPOOL_BYTES,
        max_memory: int = 10_000,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._segment_bytes = min(SEGMENT_BYTES, max(1, max_bytes // 8))
        self._max_memory = max_memory
        self._now = now
        self._segments: deque[Segment] = deque()
        self._memory: deque[bytes] = deque()
        self._writer: Writer | None = None
        self._lock: LifeLock | None = None
        self._made = 0
        self._peeked: tuple[Segment | None, list[bytes]] = (None, [])
        self.error: OSError | None = None
        """Why the disk cannot be used, if it cannot."""
        self.dropped = 0
        """Lines lost so far: too many of them, or no longer readable."""

    @property
    def pending(self) -> int:
        """Lines that wait."""
        return sum(segment.lines for segment in self._segments) + len(self._memory)

    def open(self) -> int:
        """Take over what dead processes left; returns how many lines of it were torn."""
        if self._folder is None:
            return 0
        try:
            self._folder.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
            self._lock = self._own_lock(self._folder)
            return sum(self._adopt(path) for path in self._abandoned(self._folder))
        except OSError as error:
            self.error = error
            return 0

    def append(self, lines: list[bytes]) -> None:
        """Add lines at the end; beyond the bounds the oldest are dropped."""
        self._memory.extend(lines)
        in_flight = bool(self._peeked[1]) and self._peeked[0] is None
        if not in_flight and self._lock is not None and self._memory:
            try:
                while self._memory:
                    chunk = self._chunk()
                    self._write(chunk)
                    for _ in chunk:
                        self._memory.popleft()
                self.error = None
            except OSError as error:
                self.error = error
        self._drop_oldest()

    def peek(self, most: int, most_bytes: int) -> list[bytes]:
        """The oldest lines; they stay until acknowledged."""
        while self._segments:
            head = self._segments[0]
            try:
                lines = head.read(most, most_bytes) if head.lines else []
            except OSError as error:
                self.error, lines = error, []
            if lines:
                self._peeked = (head, lines)
                return lines
            self.dropped += head.lines
            self._finish(head)
        lines = [line for line, _ in zip(self._memory, range(most), strict=False)]
        self._peeked = (None, lines)
        return lines

    def ack(self, count: int) -> None:
        """The first of the lines just peeked at are done with; the others stay."""
        head, lines = self._peeked
        self._peeked = (None, [])
        if head is None:
            for _ in range(count):
                self._memory.popleft()
            return
        head.skip(count, sum(map(len, lines[:count])))
        if not head.lines:
            self._finish(head)

    def sync(self) -> None:
        """Make what waits survive a power cut."""
        with contextlib.suppress(OSError):
            if self._writer is not None and self._writer.segment.lines:
                self._writer.sync()

    def close(self) -> None:
        """Let go; what still waits is taken over by whoever opens the folder next."""
        self.sync()
        if self._writer is not None:
            self._writer.close()
            if not self._writer.segment.lines:
                self._remove(self._writer.segment)
        if self._lock is not None:
            with contextlib.suppress(OSError):
                self._lock.release(remove=not self._segments)
        self._writer = self._lock = None

    def forsake(self) -> None:
        """In the child of a fork: the files are the parent's."""
        if self._writer is not None:
            self._writer.close()
        if self._lock is not None:
            self._lock.forsake()

    # --- on disk ---------------------------------------------------------------------------------

    @property
    def _token(self) -> str:
        assert self._lock is not None
        return self._lock.path.stem

    def _own_lock(self, folder: Path) -> LifeLock:
        for _ in range(_TRIES):
            # Somebody may take a fresh one for an abandoned one before it is locked.
            if lock := LifeLock.take(folder / f"{uuid4().hex[:12]}{_LOCK}", create=True):
                return lock
        raise OSError(errno.ENOLCK, f"{os.strerror(errno.ENOLCK)}: {folder}")

    def _abandoned(self, folder: Path) -> list[Path]:
        """Segments without a living owner, oldest first; their old locks are removed."""
        owned: dict[str, list[Path]] = {}
        for path in sorted(folder.glob(f"*{SUFFIX}")):
            owned.setdefault(path.stem.rpartition("-")[2], []).append(path)
        for path in folder.glob(f"*{_LOCK}"):
            owned.setdefault(path.stem, [])
        owned.pop(self._token, None)
        found = [
            path for token, paths in owned.items() for path in self._take(folder, token, paths)
        ]
        return sorted(found)

    def _take(self, folder: Path, token: str, paths: list[Path]) -> list[Path]:
        """The segments under our own name, if their owner is dead."""
        lock_path = folder / f"{token}{_LOCK}"
        lock = LifeLock.take(lock_path)
        if lock is None and lock_path.exists():
            return []
        taken: list[Path] = []
        for path in paths:
            mine = path.with_name(f"{_origin(path)}-{self._token}{SUFFIX}")
            with contextlib.suppress(FileNotFoundError):
                taken.append(path.rename(mine))
        if lock is not None:
            lock.release(remove=True)
        return taken

    def _adopt(self, path: Path) -> int:
        segment, torn = Segment.found(path)
        if segment.lines:
            self._segments.append(segment)
        else:
            self._remove(segment)
        return int(torn)

    def _chunk(self) -> list[bytes]:
        """The first lines in memory, as many as a segment takes; at least one."""
        size = 0
        chunk: list[bytes] = []
        for line in self._memory:
            size += len(line)
            if chunk and size > self._segment_bytes:
                break
            chunk.append(line)
        return chunk

    def _write(self, lines: list[bytes]) -> None:
        writer = self._writer
        full = writer is not None and writer.segment.size >= self._segment_bytes
        if writer is not None and full:
            self._writer = None  # what fails now must not be written to again
            writer.sync()
            writer.close()
        if self._writer is None:
            self._writer = self._new_writer()
        segment = self._writer.segment
        self._writer.write(lines)
        if not self._segments or self._segments[-1] is not segment:
            self._segments.append(segment)

    def _new_writer(self) -> Writer:
        assert self._folder is not None
        self._made += 1
        name = f"{int(self._now() * 1000):019d}-{self._made:06d}-{self._token}{SUFFIX}"
        return Writer(self._folder / name)

    def _finish(self, head: Segment) -> None:
        """Everything in the oldest segment is done with."""
        self._segments.popleft()
        if self._writer is not None and self._writer.segment is head:
            try:
                self._writer.clear()
            except OSError as error:
                self.error = error
                self._writer.close()
                self._writer = None
        else:
            self._remove(head)

    def _drop_oldest(self) -> None:
        spare = 2 if self._peeked[1] and self._peeked[0] is not None else 1
        while len(self._segments) > spare and self._on_disk() > self._max_bytes:
            oldest = self._segments[spare - 1]
            del self._segments[spare - 1]
            self.dropped += oldest.lines
            self._remove(oldest)
        in_flight = len(self._peeked[1]) if self._peeked[0] is None else 0
        while len(self._memory) > max(self._max_memory, in_flight):
            del self._memory[in_flight]
            self.dropped += 1

    def _on_disk(self) -> int:
        return sum(segment.size for segment in self._segments)

    @staticmethod
    def _remove(segment: Segment) -> None:
        with contextlib.suppress(OSError):
            segment.path.unlink(missing_ok=True)


def _origin(path: Path) -> str:
    """When and by whom a segment was begun, whoever has it now."""
    return "-".join(path.stem.split("-")[:3])
