"""A request's body: read within limits of size and time, and parsed as strict JSON."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import NoReturn

from starlette.types import Receive

from hippocortex_core.errors import ErrorDetail, PayloadTooLargeError, ValidationError, invalid
from hippocortex_core.validation import MAX_DEPTH
from hippocortex_server.pools import BusyError

MOST_VALUES = 1_000_000
"""Commas and brackets in a body: each may become an object, of many times its size."""

MOST_HELD = 64 << 20
"""Bytes of bodies that are held at a time, or twice the largest that one may have."""

_LONGEST_LENGTH = 18  # digits


class ClientGoneError(Exception):
    """The client hung up in the middle of its request."""


class Bodies:
    """Reads bodies, and sees to it that they do not fill the memory together.

    Args:
        limit: bytes that one may have.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._room = max(MOST_HELD, 2 * limit)

    @asynccontextmanager
    async def read(
        self, receive: Receive, headers: Mapping[bytes, bytes], timeout: float
    ) -> AsyncGenerator[bytes]:
        """The body, while it is needed.

        Args:
            receive: gives it, piece by piece.
            headers: of the request, lower-case.
            timeout: seconds it may take.

        Raises:
            PayloadTooLargeError: it is larger; of one that says so itself, nothing is read.
            ValidationError: it did not arrive in time (status 408), or is compressed (415).
            BusyError: too many are held already.
            ClientGoneError: the client hung up.
        """
        _check_encoding(headers)
        needed = self._needed(headers)
        if needed > self._room:
            raise BusyError("the server is busy with other large requests; try again")
        self._room -= needed
        try:
            yield await self._in_time(receive, timeout)
        finally:
            self._room += needed

    def _needed(self, headers: Mapping[bytes, bytes]) -> int:
        """The bytes to keep free for a body: as many as it says it has, else as many as it may."""
        said = headers.get(b"content-length")
        if said is None:
            return self._limit if b"transfer-encoding" in headers else 0
        # The protocol has seen to it that these are digits; how many, it does not care.
        if len(said) > _LONGEST_LENGTH or int(said) > self._limit:
            raise _too_large(self._limit)
        return int(said)

    async def _in_time(self, receive: Receive, timeout: float) -> bytes:
        try:
            return await asyncio.wait_for(_read(receive, self._limit), timeout)
        except asyncio.TimeoutError:
            late = ErrorDetail("body", f"did not arrive within {timeout:g} s")
            raise ValidationError(
                f"body: {late.message}", details=[late], status_code=HTTPStatus.REQUEST_TIMEOUT
            ) from None


def parse_body(body: bytes, headers: Mapping[bytes, bytes]) -> object:
    """What the body says; None if there is none.

    Raises:
        ValidationError: it is not strict JSON in UTF-8, or holds too much for its size; 415 if it
            says that it is something else.
    """
    if not body:
        return None
    _check_type(headers.get(b"content-type", b"application/json"))
    values = body.count(b",") + body.count(b"[") + body.count(b"{")
    if values > MOST_VALUES:
        raise invalid("body", f"holds {values:,} values; at most {MOST_VALUES:,}")
    try:
        return _DECODER.decode(body.decode())
    except UnicodeDecodeError:
        raise invalid("body", "is not UTF-8") from None
    except RecursionError:
        raise invalid("body", f"is nested deeper than {MAX_DEPTH} levels") from None
    except json.JSONDecodeError as error:
        raise invalid("body", f"is not JSON: {error}") from None
    except ValueError:  # Python refuses to read whole numbers of thousands of digits
        raise invalid("body", "holds a number that is too long") from None


async def _read(receive: Receive, limit: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        piece: bytes = message.get("body", b"")
        size += len(piece)
        if size > limit:
            raise _too_large(limit)
        pieces.append(piece)
        if not message.get("more_body", False):
            return b"".join(pieces) if len(pieces) > 1 else piece


def _too_large(limit: int) -> PayloadTooLargeError:
    return PayloadTooLargeError(
        f"the body is larger than {limit:,} bytes; send fewer events at a time"
    )


def _check_encoding(headers: Mapping[bytes, bytes]) -> None:
    encoding = headers.get(b"content-encoding", b"identity").strip().lower()
    if encoding not in {b"identity", b""}:
        raise _unsupported("content-encoding", "compressed bodies are not read; send it as it is")


def _check_type(content_type: bytes) -> None:
    kind, *parameters = [part.strip() for part in content_type.lower().split(b";")]
    charsets = [part for part in parameters if part.startswith(b"charset=")]
    known = kind == b"application/json" or kind.endswith(b"+json")
    if not known or any(one.strip(b'"') not in _UTF8 for one in charsets):
        raise _unsupported("content-type", "must be application/json in UTF-8")


_UTF8 = frozenset({b"charset=utf-8", b"charset=utf8", b'charset="utf-8'})


def _unsupported(header: str, message: str) -> ValidationError:
    return ValidationError(
        f"{header}: {message}",
        details=[ErrorDetail(header, message)],
        status_code=HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    )


def _refuse_constant(name: str) -> NoReturn:
    raise invalid("body", f"is not JSON: {name} is no number of JSON's")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
