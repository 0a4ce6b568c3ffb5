"""Whatever is sent, the answer is an envelope with the right code, and never a 500."""

import gzip
import http.client
import itertools
import json
import socket
import time
from urllib.parse import quote

import pytest

from hippocortex_core.errors import ConfigurationError, InternalError, UnavailableError
from hippocortex_server import ServerSettings
from hippocortex_server.testing import LiveServer

_tenants = itertools.count()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    store = f"sqlite:///{tmp_path_factory.mktemp('bad-input')}/memory.db"
    with LiveServer(ServerSettings(store=store)) as live:
        yield live


@pytest.fixture
def caller(server, caller_of):
    """Calls for a tenant of its own, whose memory is empty."""
    return caller_of(server, f"tenant-{next(_tenants)}")


EVENT = {"type": "message", "sessionId": "s1", "payload": {"content": "hi"}}
BODIES = {
    "nothing": (b"", "body"),
    "no JSON": (b"{", "body"),
    "JSON and more": (b"{} {}", "body"),
    "a number": (b"5", "body"),
    "a list": (b"[]", "body"),
    "null": (b"null", "body"),
    "bytes": (b"\xff\xfe\x00", "body"),
    "UTF-16": (json.dumps(EVENT).encode("utf-16"), "body"),
    "a byte order mark": (b"\xef\xbb\xbf" + json.dumps(EVENT).encode(), "body"),
    "NaN": (json.dumps({**EVENT, "payload": {"x": float("nan")}}).encode(), "body"),
    "Infinity": (b'{"type":"message","sessionId":"s1","payload":{"x":-Infinity}}', "body"),
    "a number beyond all": (
        b'{"type":"message","sessionId":"s1","payload":{"x":1e999}}',
        "payload.x",
    ),
    "a number of 10,000 digits": (b'{"n":' + b"9" * 10_000 + b"}", "body"),
    "a deep list": (b"[" * 200_000, "body"),
    "deep objects": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "body"),
    "a deep payload": (
        b'{"type":"message","sessionId":"s1","payload":' + b'{"a":' * 80 + b"1" + b"}" * 81,
        "payload",
    ),
    "a million values": (b"[" + b"[]," * 1_000_000 + b"[]]", "body"),
    "a lone surrogate": (b'{"type":"message","sessionId":"s\\ud800","payload":{}}', "sessionId"),
    "a lone surrogate inside": (
        b'{"type":"message","sessionId":"s1","payload":{"x":"\\udfff"}}',
        "payload.x",
    ),
    "a surrogate for a type": (b'{"type":"\\ud800","sessionId":"s1","payload":{}}', "type"),
    "NUL in an id": (b'{"type":"message","sessionId":"a\\u0000b","payload":{}}', "sessionId"),
    "NUL in a payload": (b'{"type":"message","sessionId":"s","payload":{"\\u0000":1}}', "payload"),
    "no session": (b'{"type":"message","payload":{}}', "sessionId"),
    "a session that is null": (b'{"type":"message","sessionId":null,"payload":{}}', "sessionId"),
    "a blank session": (b'{"type":"message","sessionId":" ","payload":{}}', "sessionId"),
    "an unknown type": (b'{"type":"dream","sessionId":"s1","payload":{}}', "type"),
    "a payload that is text": (b'{"type":"message","sessionId":"s1","payload":"hi"}', "payload"),
}


@pytest.mark.parametrize(("body", "field"), BODIES.values(), ids=BODIES)
def test_a_bad_body_is_refused_and_nothing_is_stored(caller, body, field):
    reply = caller.post("/capture", body)
    assert reply.status == 400
    assert reply.fields[0].startswith(field)
    assert caller.events() == []


def test_of_a_name_that_comes_twice_the_last_one_counts(caller):
    body = b'{"type":"dream","type":"message","sessionId":"s1","payload":{"x":1,"x":2}}'
    assert caller.post("/capture", body).data["status"] == "ingested"
    assert [one["payload"] for one in caller.events()] == [{"x": 2}]


TYPES = {
    "application/json": 200,
    "application/json; charset=utf-8": 200,
    'APPLICATION/JSON;charset="UTF-8"': 200,
    "application/vnd.hippocortex+json": 200,
    "application/json; charset=latin-1": 415,
    "text/plain": 415,
    "application/x-www-form-urlencoded": 415,
    "multipart/form-data; boundary=x": 415,
    "": 415,
}


@pytest.mark.parametrize(("content_type", "status"), TYPES.items())
def test_bodies_are_json_in_utf8(caller, content_type, status):
    reply = caller.post("/capture", EVENT, headers={"Content-Type": content_type})
    assert reply.status == status
    assert status == 200 or reply.fields == ["content-type"]


def test_compressed_bodies_are_not_read(caller):
    bomb = gzip.compress(b"0" * 50_000_000)
    reply = caller.post("/capture", bomb, headers={"Content-Encoding": "gzip"})
    assert reply.status == 415
    assert reply.fields == ["content-encoding"]


def test_a_batch_has_at_most_a_thousand_events(caller):
    reply = caller.post("/capture/batch", {"events": [EVENT] * 1_001})
    assert reply.status == 400
    assert reply.fields == ["events"]
    assert caller.post("/capture/batch", {"events": [EVENT] * 1_000}).data["summary"][
        "ingested"
    ] == (1_000)


QUERIES = {
    "/artifacts?limit=0": "limit",
    "/artifacts?limit=101": "limit",
    "/artifacts?limit=ten": "limit",
    "/artifacts?limit=" + "9" * 5_000: "limit",
    "/artifacts?limit=1.5": "limit",
    "/artifacts?limit=%D9%A1": "limit",
    "/artifacts?cursor=mine": "cursor",
    "/artifacts?cursor=": "cursor",
    "/artifacts?cursor=" + "A" * 4_000: "cursor",
    "/artifacts?cursor=%00": "cursor",
    "/artifacts?cursor=eyJhIjoxfQ": "cursor",
    "/artifacts?type=habit": "type",
    "/artifacts?type=%ff": "query",
    "/artifacts?sort=title": "sort",
    "/artifacts?order=up": "order",
    "/events?sessionId=": "sessionId",
    "/events?sessionId=%00": "sessionId",
    "/events?sessionId=%ED%A0%80": "query",
    "/events?userId=" + "u" * 257: "userId",
    "/events?" + "a=1&" * 5_000: "query",
    "/usage-metrics?period=1y": "period",
    "/usage-metrics?granularity=second": "granularity",
    "/artifacts/%00": "artifactId",
    "/artifacts/%ff": "artifactId",
    "/artifacts/" + "a" * 257: "artifactId",
    "/artifacts/%20": "artifactId",
}


@pytest.mark.parametrize(("path", "field"), QUERIES.items(), ids=[q[:40] for q in QUERIES])
def test_a_bad_query_is_refused(caller, path, field):
    reply = caller.get(path)
    assert reply.status == 400
    assert reply.fields == [field]


def test_an_error_calls_a_field_what_the_request_calls_it(caller):
    error = caller.post("/capture", {"type": "message", "payload": {}}).error
    assert error["message"] == "sessionId: is required"
    assert error["details"] == [{"field": "sessionId", "message": "is required"}]


def test_a_whole_number_may_be_written_with_a_fraction_of_nothing(caller):
    asked = {"query": "hi", "options": {"maxTokens": 2e3}}
    assert caller.post("/synthesize", asked).data["budget"]["limit"] == 2_000
    assert caller.post("/documents/search", {"limit": 2.0}).data == {"documents": []}
    asked["options"]["maxTokens"] = 2.5
    assert caller.post("/synthesize", asked).fields == ["options.maxTokens"]


PATHS = {
    "/": 404,
    "//": 404,
    "/v1": 404,
    "/v1/": 404,
    "/v2/artifacts": 404,
    "/v1/artifacts/": 404,
    "//v1/artifacts": 404,
    "/v1//artifacts": 404,
    "/v1/artifacts//": 404,
    "/v1/../v1/artifacts": 404,
    "/v1/%2e%2e/v1/artifacts": 404,
    "/v1/artifacts/../../metrics": 404,
    "/v1/artifacts%2F": 404,
    "/v1%2Fartifacts": 404,
    "/V1/ARTIFACTS": 404,
    "/v1/artifacts;x=1": 404,
    "/v1/artifacts/a/b": 404,
    "/v1/artifacts/a%2Fb": 404,
    "/v1/artifacts/..": 404,
    "/v1/artifacts/%2e%2e%2f%2e%2e%2fetc%2fpasswd": 404,
    "/v1/artifacts/" + "a/" * 10_000: 404,
    "/" + "x" * 30_000: 404,
    "/redoc": 404,
    "/docs/oauth2-redirect": 404,
    "/.env": 404,
    "/v1/capture": 405,
    "/v1/learn": 405,
}


@pytest.mark.parametrize(("path", "status"), PATHS.items(), ids=[path[:40] for path in PATHS])
def test_a_path_that_is_none_gets_an_envelope(caller, path, status):
    reply = caller.send("GET", path)
    assert reply.status == status
    assert reply.error["code"] in {"not_found", "validation_error"}


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "POST", "TRACE"])
def test_a_wrong_method_is_told_the_right_one(caller, method):
    reply = caller.send(method, "/v1/artifacts")
    assert reply.status == 405
    assert reply.headers["allow"] == "GET, HEAD"
    assert reply.fields == ["method"]


OPERATORS = [
    '"',
    "'",
    "' OR '1'='1",
    "'; DROP TABLE events; --",
    'content:deploy NEAR(payments, 2) AND NOT "x',
    "deploy* ^first {a b}: -c + d",
    "(((((",
    "a & | ! b <-> c:*",
    "%_\\",
    "$1 :name {0} %s",
    "*" * 200,
    "😀\u202e\u0301",
]


@pytest.mark.parametrize("text", OPERATORS)
def test_operators_of_sql_and_full_text_search_are_words(serve, store, caller_of, text):
    caller = caller_of(serve(store))
    caller.capture("deploy payments", session=text, idempotencyKey=text)
    assert caller.post("/synthesize", {"query": text}).data["budget"]
    scoped = {"query": "deploy", "options": {"sessionId": text}}
    assert caller.post("/synthesize", scoped).data["entries"]
    assert caller.get(f"/events?sessionId={quote(text)}").data["pagination"]["total"] == 1
    assert caller.get(f"/events?sessionId={quote(text + 'x')}").data["events"] == []
    assert caller.get(f"/artifacts/{quote(text, safe='')}").status in {400, 404}
    assert caller.post("/forget", {"sessionId": text}).data["eventsDeleted"] == 1


def test_a_body_that_says_it_is_too_large_is_not_read(serve, caller_of, raw):
    server = serve(max_body=2_000)
    caller = caller_of(server)
    reply = caller.capture("x" * 2_000)
    assert reply.status == 413
    assert reply.error["code"] == "payload_too_large"
    # Not a byte of the body is sent: the answer comes all the same.
    head = request_head(caller, "Content-Length: 1000000000000\r\nExpect: 100-continue")
    assert raw(server, head).startswith(b"HTTP/1.1 413 ")
    assert caller.capture("x" * 1_000).status == 200


def request_head(caller, headers):
    return (
        "POST /v1/capture HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        f"Authorization: Bearer {caller.key}\r\nContent-Type: application/json\r\n{headers}\r\n\r\n"
    ).encode()


def chunk(data):
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def test_a_body_in_pieces_is_counted_while_it_is_read(serve, caller_of, raw):
    server = serve(max_body=2_000)
    caller = caller_of(server)
    head = request_head(caller, "Transfer-Encoding: chunked")
    body = json.dumps(EVENT).encode()
    pieces = [chunk(body[:10]), chunk(body[10:]), b"0\r\n\r\n"]
    assert raw(server, head, *pieces, close=False).startswith(b"HTTP/1.1 200 ")
    assert raw(server, head, chunk(b" " * 2_001), close=False).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_does_not_arrive_is_not_waited_for(serve, caller_of, raw):
    server = serve(body_timeout=0.2)
    caller = caller_of(server)
    started = time.monotonic()
    answer = raw(server, request_head(caller, "Content-Length: 1000") + b"{", close=False)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"validation_error"' in answer
    assert time.monotonic() - started < 10


def test_a_client_that_hangs_up_in_its_request_disturbs_nobody(server, caller, raw):
    assert raw(server, request_head(caller, "Content-Length: 1000") + b"{") == b""
    assert caller.capture().status == 200


REQUESTS = {
    "no HTTP": b"hello\r\n\r\n",
    "two lengths": b"POST /v1/learn HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
    "length and chunks": (
        b"POST /v1/learn HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    ),
    "a negative length": b"POST /v1/learn HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "a broken chunk": (
        b"POST /v1/learn HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"
    ),
    "a folded header": b"GET /v1/health HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n",
    "a header without a name": b"GET /v1/health HTTP/1.1\r\n: x\r\n\r\n",
    "a header without an end": b"GET /v1/health HTTP/1.1\r\nA: " + b"x" * 1_000_000,
    "a path without an end": b"GET /" + b"x" * 1_000_000,
    "too many headers": b"GET /v1/health HTTP/1.1\r\n" + b"A: b\r\n" * 100_000,
}


@pytest.mark.parametrize("request_bytes", REQUESTS.values(), ids=REQUESTS)
def test_what_is_no_request_is_refused_in_an_envelope(server, anybody, raw, request_bytes):
    head, _, body = raw(server, request_bytes).partition(b"\r\n\r\n")
    assert head.split(b" ")[1] in {b"400", b"401", b"431"}
    assert json.loads(body)["ok"] is False
    assert anybody.get("/health").status == 200


def test_a_head_that_does_not_arrive_is_not_waited_for(serve, raw, monkeypatch):
    monkeypatch.setattr("hippocortex_server.protocol.HEAD_SECONDS", 0.2)
    server = serve()
    for sent in (b"", b"GET /v1/health HTTP/1.1\r\nHost:"):
        answer = raw(server, sent, close=False)
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b'"code":"validation_error"' in answer


def test_a_connection_that_is_kept_alive_may_be_silent_between_requests(serve, raw, monkeypatch):
    monkeypatch.setattr("hippocortex_server.protocol.HEAD_SECONDS", 0.5)
    server = serve()
    connection = http.client.HTTPConnection(server.origin.removeprefix("http://"), timeout=30)
    connection.request("GET", "/v1/health")
    assert connection.getresponse().read()
    # Another connection waits longer than a head may take; this one has no head under way.
    assert raw(server, b"", close=False).startswith(b"HTTP/1.1 408 ")
    connection.request("GET", "/v1/health")
    assert connection.getresponse().status == 200
    connection.close()


def test_headers_of_proxies_change_nothing(caller):
    forged = {
        "X-Forwarded-For": "127.0.0.1",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "https",
        "X-Original-URL": "/v1/forget",
        "X-HTTP-Method-Override": "DELETE",
        "Host": "evil.example",
    }
    reply = caller.get("/artifacts", headers=forged)
    assert reply.data["artifacts"] == []
    assert b"evil" not in reply.content


def test_a_fault_of_ours_tells_the_caller_nothing(serve, caller_of, monkeypatch, caplog):
    server = serve()
    caller = caller_of(server)

    def fail(*_, **__):
        raise RuntimeError("secret detail")

    monkeypatch.setattr("hippocortex_engine.engine.Engine.list_artifacts", fail)
    reply = caller.get("/artifacts")
    assert reply.status == 500
    assert "secret" not in reply.content.decode()
    record = next(one for one in caplog.records if one.message == "request failed")
    assert record.request_id == reply.json["meta"]["requestId"]
    assert "secret detail" in str(record.exc_info[1])


def test_what_the_store_says_of_itself_is_for_the_log(serve, caller_of, monkeypatch, caplog):
    caller = caller_of(serve())

    def fail(*_, **__):
        raise UnavailableError("/var/lib/private/memory.db: the disk is full")

    monkeypatch.setattr("hippocortex_engine.engine.Engine.list_artifacts", fail)
    reply = caller.get("/artifacts")
    assert reply.status == 503
    assert reply.headers["retry-after"] == "1"
    assert "private" not in reply.content.decode()
    (record,) = [one for one in caplog.records if one.message == "the store does not answer"]
    assert record.error.endswith("the disk is full")


@pytest.mark.parametrize("error", [InternalError("private"), ConfigurationError("private")])
def test_a_fault_of_ours_is_one_whatever_it_is_called(serve, caller_of, monkeypatch, error):
    caller = caller_of(serve())

    def fail(*_, **__):
        raise error

    monkeypatch.setattr("hippocortex_engine.engine.Engine.list_artifacts", fail)
    reply = caller.get("/artifacts")
    assert reply.status == 500
    assert "private" not in reply.error["message"]


def test_large_bodies_do_not_fill_the_memory_together(serve, caller_of, raw, monkeypatch):
    monkeypatch.setattr("hippocortex_server.bodies.MOST_HELD", 1_000)
    server = serve(max_body=2_000)  # so there is room for two of the largest
    caller = caller_of(server)
    place = (server.origin.removeprefix("http://").split(":")[0], int(server.origin.split(":")[-1]))
    slow = [socket.create_connection(place) for _ in range(2)]
    for connection in slow:
        connection.sendall(request_head(caller, "Content-Length: 2000") + b"{")
    replies = (caller.capture() for _ in range(200))
    busy = next(reply for reply in replies if reply.status != 200)
    assert busy.status == 503
    assert busy.error["code"] == "unavailable"
    for connection in slow:
        connection.close()
    assert any(caller.capture().status == 200 for _ in range(200))


def test_no_secret_reaches_the_log(server, caller, caplog):
    caplog.set_level("DEBUG")
    caller.capture("a private thing")
    caller.get("/artifacts?cursor=private-cursor")
    caller.get("/nothing?key=private")
    ours = [record for record in caplog.records if record.name == "hippocortex_server"]
    said = " ".join(str(vars(record)) for record in ours)
    assert caller.key not in said
    assert "private" not in said
    (logged,) = [one for one in ours if one.operation == "capture"]
    assert logged.status == 200
    assert logged.tenant_id.startswith("tenant-")
    assert logged.request_id.startswith("req_")
    assert logged.duration_ms > 0
