"""Zstandard streams as files: bounded in memory, and honest about where they break off."""

from __future__ import annotations

import io
from typing import Any, BinaryIO

MAGIC = b"\x28\xb5\x2f\xfd"

# A block of a few bytes may hold 128 KiB: what one step can give stays in the megabytes.
_STEP = 1_024


class BrokenError(ValueError):
    """Compressed data that cannot be read to its end."""


class Unpacked(io.RawIOBase):
    """What is in a compressed stream; one frame after the other.

    Args:
        stream: Compressed.
    """

    def __init__(self, stream: BinaryIO) -> None:
        import zstandard  # noqa: PLC0415 - only where something is compressed

        self._error = zstandard.ZstdError
        self._frame = zstandard.ZstdDecompressor().decompressobj
        self._stream = stream
        self._within: Any = None
        self._left = b""
        self._ready = b""

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Some of what comes next.

        Raises:
            BrokenError: The stream is damaged, or cut off.
        """
        while not self._ready:
            data = self._left or self._stream.read(_STEP)
            if not data:
                if self._within is not None:
                    raise BrokenError("cut off")
                return 0
            self._ready = self._step(data)
        found, self._ready = self._ready[: len(buffer)], self._ready[len(buffer) :]
        buffer[: len(found)] = found
        return len(found)

    def _step(self, data: bytes) -> bytes:
        if self._within is None:
            self._within = self._frame()
        try:
            found: bytes = self._within.decompress(data)
        except self._error as error:
            raise BrokenError(str(error)) from error
        self._left = b""
        if self._within.eof:
            self._left, self._within = self._within.unused_data, None
        return found


def unpacked(data: bytes, limit: int) -> bytes:
    """What was compressed; the limit is in bytes.

    Raises:
        BrokenError: It cannot be read, or is longer than that.
    """
    with io.BufferedReader(Unpacked(io.BytesIO(data))) as stream:
        found = stream.read(limit + 1)
    if len(found) > limit:
        raise BrokenError(f"is longer than {limit:,} bytes")
    return found
