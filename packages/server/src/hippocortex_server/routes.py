"""The operations of core as routes; nothing here knows what any of them is about.

Each endpoint is bare ASGI: the raw body goes to the operation's own decoder, which the clients'
encoder is tested against, and there is no second description of what a request must look like.
"""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, unquote

from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from hippocortex_core.errors import HippocortexError, UnavailableError, invalid
from hippocortex_core.operations import OPERATIONS, Capture, GetMetrics, Health, Learn, Operation
from hippocortex_core.validation import check_id
from hippocortex_engine.engine import Engine
from hippocortex_server.authentication import check_scope, limited
from hippocortex_server.bodies import parse_body
from hippocortex_server.calls import Call
from hippocortex_server.home import Home
from hippocortex_server.logs import LOGGER
from hippocortex_server.pools import BusyError, Work

_log = logging.getLogger(LOGGER)

PREFIX = "/v1"
ALIASES: Mapping[str, str] = {GetMetrics.path: "/metrics"}
"""Second names of paths."""

_LARGE = 65_536
"""Bytes of a body that is parsed in a thread, so that other requests go on meanwhile."""

_MOST_FIELDS = 4_096
_KEY = re.compile(rb"[!-~](?:[ -~]*[!-~])?")
Headers = Mapping[bytes, bytes]


def routes(home: Home) -> list[Route]:
    """A route for each path of the operations."""
    by_path: defaultdict[str, dict[str, type[Operation[Any]]]] = defaultdict(dict)
    for operation in OPERATIONS:
        by_path[operation.path][operation.method] = operation
        if operation.path in ALIASES:
            by_path[ALIASES[operation.path]][operation.method] = operation
    return [
        Route(PREFIX + path, Endpoint(home, operations), methods=list(operations), name=path)
        for path, operations in by_path.items()
    ]


class Endpoint:
    """One path: what may be asked for there, by method."""

    def __init__(self, home: Home, operations: Mapping[str, type[Operation[Any]]]) -> None:
        self._home = home
        self._operations = operations

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        call = Call.of(scope)
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        operation = self._operations[method]
        call.operation = operation.name
        try:
            response = await self._respond(call, operation, scope, receive)
        except BusyError as error:
            response = call.error(error)
        except UnavailableError as error:
            # What the store says of itself, such as where it is, is for the log.
            _log.warning("the store does not answer", extra=call.fields(error=error.message))
            response = call.error(BusyError("the store cannot answer now; try again"))
        except HippocortexError as error:
            if not HTTPStatus.BAD_REQUEST <= error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
                raise  # a fault of ours, whatever it is called
            response = call.error(error)
        await response(scope, receive, send)

    async def _respond(
        self, call: Call, operation: type[Operation[Any]], scope: Scope, receive: Receive
    ) -> Response:
        if operation is Health:
            return call.result(operation.render(Health(), await self._home.health()))
        await self._admit(call, operation, scope)
        headers: Headers = dict(scope["headers"])
        if operation.method == "GET":
            return await self._carry_out(call, _Asked(operation, scope, headers, b""))
        settings = self._home.settings
        async with self._home.bodies.read(receive, headers, settings.body_timeout) as body:
            return await self._carry_out(call, _Asked(operation, scope, headers, body))

    async def _carry_out(self, call: Call, asked: _Asked) -> Response:
        if asked.operation is Capture:
            return await self._capture(call, asked)
        return await self._home.call(
            _work(asked.operation), _tenant(call), lambda engine: self._apply(call, asked, engine)
        )

    async def _admit(self, call: Call, operation: type[Operation[Any]], scope: Scope) -> None:
        """Let the request in, or raise: whose it is, whether it may, whether it is one too many."""
        home = self._home
        client = scope.get("client")
        key = await home.authenticator.authenticate(scope["headers"], client[0] if client else "")
        call.tenant_id = key.tenant_id
        limit = home.settings.rate_limit if key.rate_limit is None else key.rate_limit
        if limit:
            call.allowance = home.limiter.take(f"key {key.key_id}", limit)
            if call.allowance.wait:
                raise limited(call.allowance, f"more than {limit:,} requests a minute")
        check_scope(key, operation.scope)

    async def _capture(self, call: Call, asked: _Asked) -> Response:
        tenant_id = _tenant(call)
        if len(asked.body) > _LARGE:
            operation = await self._home.call("write", tenant_id, lambda _: asked.decode())
        else:
            operation = asked.decode()
        assert isinstance(operation, Capture)
        result = await self._home.capture(tenant_id, operation.event, len(asked.body))
        self._home.measures.captured(result)
        return call.result(operation.render(result))

    def _apply(self, call: Call, asked: _Asked, engine: Engine) -> Response:
        """In a thread: read the request, carry it out, write the answer."""
        operation = asked.decode()
        result = operation.apply(engine)
        self._home.measures.captured(result)
        return call.result(operation.render(result))


class _Asked:
    """A request that was let in, not decoded yet."""

    def __init__(
        self, operation: type[Operation[Any]], scope: Scope, headers: Headers, body: bytes
    ) -> None:
        self.operation = operation
        self.scope = scope
        self.headers = headers
        self.body = body

    def decode(self) -> Operation[Any]:
        """The call that it asks for.

        Raises:
            ValidationError: It is malformed.
        """
        params = {
            name: _decoded(name, lambda value=value: unquote(value, errors="strict"))
            for name, value in self.scope["path_params"].items()
        }
        query = _decoded("query", self._query)
        operation = self.operation.from_request(params, query, parse_body(self.body, self.headers))
        return self._with_key(operation) if isinstance(operation, Capture) else operation

    def _query(self) -> dict[str, list[str]]:
        return parse_qs(
            self.scope["query_string"].decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )

    def _with_key(self, operation: Capture) -> Capture:
        """The header says what makes a capture unique where the body does not."""
        given = self.headers.get(b"idempotency-key")
        if given is None:
            return operation
        if not _KEY.fullmatch(given):
            raise invalid("idempotency_key", "must be printable ASCII where it is a header")
        key = check_id("idempotency_key", given.decode())
        if operation.event.idempotency_key is not None:
            return operation
        return replace(operation, event=replace(operation.event, idempotency_key=key))


def _decoded(place: str, decode: Callable[[], Any]) -> Any:
    try:
        return decode()
    except UnicodeError:
        raise invalid(place, "is not percent-encoded UTF-8") from None
    except ValueError:
        raise invalid(place, f"has more than {_MOST_FIELDS:,} parameters") from None


def _work(operation: type[Operation[Any]]) -> Work:
    if operation is Learn:
        return "learn"
    return "read" if operation.scope == "read" else "write"


def _tenant(call: Call) -> str:
    assert call.tenant_id is not None
    return call.tenant_id
