"""HTTP/1.1 on a connection: uvicorn's, with bounds on a request's head and envelopes for refusals.

A head has a time in which it must arrive and a size that it must not exceed: without these, a
client that sends a byte now and then holds a connection for ever, and one that sends a header
without an end fills the memory, both before anybody has asked for a key.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from http import HTTPStatus
from typing import cast
from uuid import uuid4

from uvicorn.protocols.http.httptools_impl import (
    HttpToolsProtocol,
    RequestResponseCycle,
)

from hippocortex_core.envelope import failure
from hippocortex_core.errors import ValidationError, invalid

HEAD_SECONDS = 20.0
"""Time for the head of a request, and for the first one on a connection to begin."""

LINGER_SECONDS = 2.0
"""Time for a client that is refused to stop sending; hung up at once, it might miss the answer."""

HEAD_BYTES = 131_072
"""Size of a head; the longest that our clients send is a quarter of it."""


class Protocol(HttpToolsProtocol):
    """One connection.

    Attributes:
        when_lost: Called when the connection has ended.
    """

    when_lost: Callable[[], None] | None = None
    _timer: asyncio.TimerHandle | None = None
    _in_head = True
    _head_bytes = 0
    _refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has connected, and must say what it wants."""
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone."""
        self._stop_timer()
        if self.when_lost is not None:
            self.when_lost()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """More of a request, or of several."""
        if self._refused:
            return
        super().data_received(data)
        if self._in_head and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self._refuse(
                    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
                    invalid("headers", f"are larger than {HEAD_BYTES:,} bytes"),
                )

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        if self._timer is None:
            self._expect_head()

    def on_headers_complete(self) -> None:
        """The head is here."""
        self._stop_timer()
        self._in_head = False
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP."""
        self._refuse(HTTPStatus.BAD_REQUEST, invalid("request", msg))

    def _expect_head(self) -> None:
        self._in_head, self._head_bytes = True, 0
        self._timer = self.loop.call_later(HEAD_SECONDS, self._head_is_late)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _head_is_late(self) -> None:
        self._timer = None
        if not self.transport.is_closing():
            self._refuse(
                HTTPStatus.REQUEST_TIMEOUT,
                invalid("headers", f"did not arrive within {HEAD_SECONDS:g} s"),
            )

    def _refuse(self, status: HTTPStatus, error: ValidationError) -> None:
        """Answer and hang up; no answer if one to an earlier request is on its way."""
        self._refused = True
        self._stop_timer()
        cycle = cast("RequestResponseCycle | None", self.cycle)
        if cycle is not None and not cycle.response_complete:
            if cycle.response_started or not cycle.more_body:
                self.transport.close()
                return
            cycle.disconnected = True  # it is this one that is broken, and it gets no other answer
            cycle.message_event.set()
        self.transport.write(_answer(status, error))
        if self.transport.can_write_eof():
            self.transport.write_eof()
            self._timer = self.loop.call_later(LINGER_SECONDS, self.transport.close)
        else:
            self.transport.close()


def _answer(status: HTTPStatus, error: ValidationError) -> bytes:
    request_id = f"req_{uuid4().hex}"
    meta = {"requestId": request_id, "tenantId": None, "durationMs": 0}
    body = json.dumps(failure(error, meta), separators=(",", ":")).encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        "content-type: application/json\r\n"
        f"content-length: {len(body)}\r\n"
        f"x-request-id: {request_id}\r\n"
        "connection: close\r\n\r\n"
    )
    return head.encode() + body
