"""A real HTTP home on this machine: the operations turned inside out, with faults on demand.

```python
with HttpHome(service, faults=[answer(503), reset]) as home:
    memory = SyncHippocortex(base_url=home.url)
```
"""

from __future__ import annotations

import json
import re
import socket
import struct
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

from hippocortex_core.envelope import failure, success
from hippocortex_core.errors import HippocortexError, UnauthorizedError
from hippocortex_core.operations import OPERATIONS, Operation
from hippocortex_core.service import MemoryService

if TYPE_CHECKING:
    from typing_extensions import Self  # in typing from 3.11 on

PREFIX = "/v1"


@dataclass(frozen=True)
class Received:
    """A request as it arrived; header names are lower-case, `port` is the client's."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: Any
    port: int


class HttpHome:
    """Serves a memory under `url` while the context lasts.

    Args:
        service: The memory.
        api_key: If given, every request must carry it.
        faults: What goes wrong, one for each of the first requests; later ones are served.
        offers: The operations served; default: all.

    Attributes:
        url: The base URL for a client.
        received: Every request so far.
    """

    def __init__(
        self,
        service: MemoryService,
        *,
        api_key: str | None = None,
        faults: Iterable[Fault] = (),
        offers: Iterable[type[Operation[Any]]] = OPERATIONS,
    ) -> None:
        self.service = service
        self.api_key = api_key
        self.faults = deque(faults)
        self.received: list[Received] = []
        self.released = threading.Event()
        self._routes = [(op, _pattern(op)) for op in offers]
        handler = type("Handler", (_Handler,), {"home": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}{PREFIX}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def respond(self, received: Received) -> tuple[int, object]:
        """The status and the body of the answer."""
        meta = {"requestId": f"req-{len(self.received)}", "tenantId": "test", "durationMs": 0}
        try:
            found = self._call(received)
            if found is None:
                return 404, {"detail": "Not Found"}
            operation = found
            return 200, success(operation.render(operation.apply(self.service)), meta)
        except HippocortexError as error:
            return error.status_code or 500, failure(error, meta)

    def _call(self, received: Received) -> Operation[Any] | None:
        """The operation asked for; None if there is no such path."""
        if self.api_key and received.headers.get("authorization") != f"Bearer {self.api_key}":
            raise UnauthorizedError("the API key is not known")
        parts = urlsplit(received.target)
        query = parse_qs(parts.query, keep_blank_values=True)
        for op, pattern in self._routes:
            if op.method == received.method and (match := pattern.fullmatch(parts.path)):
                params = {name: unquote(value) for name, value in match.groupdict().items()}
                return op.from_request(params, query, received.body)
        return None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that go away, as clients may."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    home: ClassVar[HttpHome]
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # an answer is two writes: the second would wait 40 ms

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def write(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _serve(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = json.loads(content) if content else None
        received = Received(self.command, self.path, headers, body, self.client_address[1])
        self.home.received.append(received)
        if self.home.faults:
            self.home.faults.popleft()(self, received)
        else:
            serve(self, received)


Fault = Callable[[_Handler, Received], None]
"""What happens to a request instead of being served."""


def serve(handler: _Handler, received: Received) -> None:
    """No fault at all."""
    status, data = handler.home.respond(received)
    handler.write(status, json.dumps(data).encode(), {"Content-Type": "application/json"})


def answer(status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Fault:
    """A fault: this answer, whatever was asked."""

    def fault(handler: _Handler, received: Received) -> None:  # noqa: ARG001
        handler.write(status, body, headers or {})

    return fault


def stall(handler: _Handler, received: Received) -> None:  # noqa: ARG001
    """A fault: no answer for as long as the home is open."""
    handler.home.released.wait()
    handler.close_connection = True


def reset(handler: _Handler, received: Received) -> None:  # noqa: ARG001
    """A fault: the connection is reset before any answer."""
    # Lingering for no time makes closing the socket a reset.
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


def cut_off(handler: _Handler, received: Received) -> None:
    """A fault: the answer ends in the middle."""
    status, data = handler.home.respond(received)
    text = json.dumps(data).encode()
    handler.write(status, text[: len(text) // 2], {"Content-Length": str(len(text))})
    handler.wfile.flush()
    handler.close_connection = True


def lose_answer(handler: _Handler, received: Received) -> None:
    """A fault: the request is carried out, but the answer never arrives."""
    handler.home.respond(received)
    reset(handler, received)


def _pattern(operation: type[Operation[Any]]) -> re.Pattern[str]:
    return re.compile(PREFIX + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", operation.path))
