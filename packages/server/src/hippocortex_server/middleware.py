"""Around every request: its id, its path, its line in the log, its figures, the last resort."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from http import HTTPStatus

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hippocortex_server.bodies import ClientGoneError
from hippocortex_server.calls import Call, unexpected
from hippocortex_server.logs import LOGGER
from hippocortex_server.measuring import Measures

_log = logging.getLogger(LOGGER)
_SANE_ID = re.compile(rb"[\x21-\x7e]{1,128}")
_CLIENT_GONE = 499  # as nginx logs it; nobody is there to read an answer


class Surroundings:
    """Pure ASGI, so that it costs little and sees every request.

    Args:
        app: what it surrounds.
        measures: the figures.
        new_id: makes the ids of requests that bring none.
    """

    def __init__(self, app: ASGIApp, measures: Measures, new_id: Callable[[], str]) -> None:
        self._app = app
        self._measures = measures
        self._new_id = new_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and see what comes of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        call = Call(_request_id(scope) or self._new_id())
        call.open(scope)
        _leave_path_encoded(scope)
        status = 0

        async def send_named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = call.request_id
            await send(message)

        with self._measures.in_flight():
            try:
                await self._app(scope, receive, send_named)
            except ClientGoneError:
                status = _CLIENT_GONE
            except Exception:
                _log.exception("request failed", extra=_fields(call, scope))
                if status:
                    raise  # half an answer is out: the server must break the connection
                await call.error(unexpected())(scope, receive, send_named)
        self._finish(call, scope, status)

    def _finish(self, call: Call, scope: Scope, status: int) -> None:
        self._measures.answered(call.operation, status, call.milliseconds / 1000)
        level = logging.WARNING if status >= HTTPStatus.INTERNAL_SERVER_ERROR else logging.INFO
        if _log.isEnabledFor(level):
            more = _fields(call, scope, status=status, duration_ms=call.milliseconds)
            _log.log(level, "request", extra=more)


def _fields(call: Call, scope: Scope, **more: object) -> dict[str, object]:
    """What the log says of a request: never its path, query or headers, which may hold secrets."""
    client = scope.get("client")
    return call.fields(method=scope["method"], client=client[0] if client else None, **more)


def _request_id(scope: Scope) -> str | None:
    """The id that the client gave, if it is fit to be repeated."""
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            return value.decode() if _SANE_ID.fullmatch(value) else None
    return None


def _leave_path_encoded(scope: Scope) -> None:
    """Let routes see the path as it was sent.

    Decoded, `%2F` inside an id would be taken for the border of a segment; so routes split what
    was sent, and decode each parameter by itself.
    """
    raw = scope.get("raw_path")
    if raw is not None:
        scope["path"] = raw.decode("latin-1")
