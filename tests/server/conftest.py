"""A real server on a loopback port, and requests as they go over the wire."""

import http.client
import json
import socket
from contextlib import ExitStack
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest

from hippocortex_server import ServerSettings
from hippocortex_server.testing import LiveServer

SQLITE = "sqlite:///memory.db"
CODES = {
    400: "validation_error",
    401: "unauthorized",
    402: "quota_exceeded",
    403: "forbidden",
    404: "not_found",
    405: "validation_error",
    408: "validation_error",
    409: "conflict",
    413: "payload_too_large",
    415: "validation_error",
    429: "rate_limited",
    500: "internal_error",
    503: "unavailable",
}


@dataclass
class Reply:
    status: int
    headers: dict
    content: bytes

    @property
    def json(self):
        return json.loads(self.content)

    @property
    def data(self):
        """The data of an answer, whose envelope is checked."""
        assert self.status == 200, self.content
        envelope = self.json
        assert envelope.keys() == {"ok", "data", "meta"}
        assert envelope["ok"] is True
        self._check_meta(envelope["meta"])
        return envelope["data"]

    @property
    def error(self):
        """The error of an answer, whose envelope is checked."""
        envelope = self.json
        assert envelope.keys() == {"ok", "error", "meta"}
        assert envelope["ok"] is False
        error = envelope["error"]
        assert error.keys() == {"code", "message", "details"}
        assert error["code"] == CODES[self.status]
        assert error["message"]
        assert "\n" not in error["message"]
        assert "Traceback" not in error["message"]
        self._check_meta(envelope["meta"])
        return error

    @property
    def fields(self):
        return [detail["field"] for detail in self.error["details"]]

    def _check_meta(self, meta):
        assert meta.keys() == {"requestId", "tenantId", "durationMs"}
        assert meta["requestId"] == self.headers["x-request-id"]
        assert meta["durationMs"] >= 0
        assert self.headers["content-type"] == "application/json"


@dataclass
class Caller:
    """Sends requests with one key."""

    server: LiveServer
    key: str | None = None
    headers: dict = field(default_factory=dict)

    def send(self, method, path, body=None, headers=()):
        """The answer to a request; a body that is no bytes is sent as JSON."""
        place = urlsplit(self.server.origin)
        given = {**self.headers, **dict(headers)}
        if self.key is not None:
            given.setdefault("Authorization", f"Bearer {self.key}")
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None:
            given.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection(place.hostname, place.port, timeout=30)
        try:
            connection.request(method, path, body, given)
            answer = connection.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, named, answer.read())
        finally:
            connection.close()

    def get(self, path, **more):
        return self.send("GET", f"/v1{path}", **more)

    def post(self, path, body=None, **more):
        return self.send("POST", f"/v1{path}", body, **more)

    def capture(self, text="hi", session="s1", **more):
        event = {"type": "message", "sessionId": session, "payload": {"content": text}, **more}
        return self.post("/capture", event)

    def events(self):
        return self.get("/events?limit=1000&order=asc").data["events"]


@pytest.fixture
def serve():
    """Starts servers that stop when the test ends."""
    with ExitStack() as stack:

        def start(store=SQLITE, clock=None, **settings):
            more = {} if clock is None else {"clock": clock}
            return stack.enter_context(LiveServer(ServerSettings(store=store, **settings), **more))

        yield start


@pytest.fixture
def server(serve):
    return serve()


@pytest.fixture
def caller(server):
    """Calls with a key that allows everything."""
    return Caller(server, server.new_key())


@pytest.fixture
def anybody(server):
    """Calls without a key."""
    return Caller(server)


@pytest.fixture
def caller_of():
    """Makes callers: of a server, for a tenant, with scopes."""

    def make(server, tenant="default", scopes=("read", "write", "admin"), **key):
        return Caller(server, server.keys.create(tenant, scopes, **key).secret)

    return make


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request):
    """The URL of an empty store, of each kind."""
    return SQLITE if request.param == "sqlite" else request.getfixturevalue("postgres_url")


@pytest.fixture
def raw():
    """Sends bytes as they are; returns everything that comes back until the connection closes."""

    def send(server, *pieces, close=True):
        place = urlsplit(server.origin)
        with socket.create_connection((place.hostname, place.port), timeout=30) as connection:
            for piece in pieces:
                connection.sendall(piece)
            if close:
                connection.shutdown(socket.SHUT_WR)
            received = b""
            while chunk := connection.recv(65_536):
                received += chunk
            return received

    return send
