"""A scripted model on this machine that speaks OpenAI's and Anthropic's protocols.

```python
with LlmServer(lambda asked: Answer("Deployed.")) as server:
    OpenAI(base_url=f"{server.url}/v1", api_key="test")
    Anthropic(base_url=server.url, api_key="test")
```
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar

from hippocortex_core.testing.llm_wires import WIRES, Frame

if TYPE_CHECKING:
    from typing_extensions import Self  # in typing from 3.11 on


@dataclass(frozen=True)
class Answer:
    """What the model says: words, and calls of tools as (id, name, arguments).

    Attributes:
        breaks_after: The connection is lost after so many frames of the stream.
        status: An HTTP error instead, if not 200.
    """

    text: str = ""
    calls: Sequence[tuple[str, str, Mapping[str, Any]]] = ()
    breaks_after: int | None = None
    status: int = 200


@dataclass(frozen=True)
class Asked:
    """A request as it arrived."""

    path: str
    body: dict[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def streams(self) -> bool:
        """Whether the answer is to be a stream."""
        return bool(self.body.get("stream")) or "stream" in self.path.lower()


Script = Callable[[Asked], Answer]


class LlmServer:
    """Serves the script while the context lasts.

    Args:
        script: The answer to each request; it may be replaced at any time.

    Attributes:
        url: Without the `/v1` that OpenAI's SDK wants.
        asked: Every request so far.
    """

    def __init__(self, script: Script) -> None:
        self.script = script
        self.asked: list[Asked] = []
        handler = type("Handler", (_Handler,), {"server_": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that go away, as clients may."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server_: ClassVar[LlmServer]
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.path, json.loads(content), headers)
        self.server_.asked.append(asked)
        answer = self.server_.script(asked)
        wire = next((wire for part, wire in WIRES.items() if part in self.path), None)
        if wire is None or answer.status != 200:  # noqa: PLR2004
            status = answer.status if wire else 404
            self._write(status, {"error": {"type": "scripted", "message": f"scripted {status}"}})
        elif asked.streams:
            frames = wire.stream(str(asked.body.get("model")), answer.text, answer.calls)
            self._stream(frames, answer.breaks_after)
        else:
            self._write(200, wire.whole(str(asked.body.get("model")), answer.text, answer.calls))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def _write(self, status: int, body: object) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        if status != 200:  # noqa: PLR2004
            self.send_header("Retry-After-Ms", "1")  # both SDKs know it, and tests do not wait
        self.end_headers()
        self.wfile.write(content)

    def _stream(self, frames: Iterator[Frame], breaks_after: int | None) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            for number, (event, data) in enumerate(frames):
                if number == breaks_after:
                    self.close_connection = True
                    return
                head = f"event: {event}\n" if event else ""
                said = data if isinstance(data, str) else json.dumps(data)
                self._chunk(f"{head}data: {said}\n\n".encode())
            self._chunk(b"")
        except OSError:
            self.close_connection = True  # the client went away in the middle, as clients may

    def _chunk(self, content: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(content), content))
        self.wfile.flush()
