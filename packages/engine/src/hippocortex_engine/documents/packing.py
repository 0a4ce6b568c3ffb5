"""The terms of several texts in one column."""

from __future__ import annotations

from collections.abc import Sequence
from struct import pack, unpack_from


def pack_texts(packed: Sequence[bytes]) -> bytes:
    """The packed terms of each text behind their length."""
    return b"".join(pack("<I", len(one)) + one for one in packed)


def unpack_texts(data: bytes) -> list[bytes]:
    """The reverse of `pack_texts`."""
    found: list[bytes] = []
    start = 0
    while start < len(data):
        (size,) = unpack_from("<I", data, start)
        found.append(data[start + 4 : start + 4 + size])
        start += 4 + size
    return found
