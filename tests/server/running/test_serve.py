"""`hippocortex serve`: works without set-up, says what is wrong in a line, and stops in good order."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys

import httpx
import pytest

from hippocortex_core.client import SyncHippocortex
from hippocortex_core.types import CaptureEvent

MESSAGE = {"type": "message", "sessionId": "s1", "payload": {"role": "user", "content": "hello"}}


def fails(*args, code=1):
    """The one line that `serve` ends with."""
    command = [sys.executable, "-m", "hippocortex.cli", "serve", *map(str, args)]
    environ = {name: value for name, value in os.environ.items() if name != "HIPPOCORTEX_STRICT"}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env=environ
    )
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    return line


def test_with_no_options_it_serves_the_memory_that_is_already_there(start, cli):
    cli("capture", "observation", "s1", '{"text": "the build is green"}')
    server = start()
    assert server.url.startswith("http://127.0.0.1:")
    with SyncHippocortex(api_key=server.key, base_url=server.url) as memory:
        (event,) = memory.list_events().events
        assert event.payload == {"text": "the build is green"}
        memory.capture(CaptureEvent("message", "s1", {"role": "user", "content": "over HTTP"}))
    server.stop()
    assert "2 events" in cli("doctor").stdout


def test_the_first_start_prints_a_key_and_requests_to_copy(tmp_path):
    command = [sys.executable, "-m", "hippocortex.cli", "serve", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        lines = []
        while not lines or not lines[-1].startswith("Documentation"):
            lines.append(process.stdout.readline())
            assert lines[-1], process.stderr.read()
        text = "".join(lines)
        (key,) = set(re.findall(r"hx_live_[\w-]{43}", text))
        calls = re.findall(r"curl .*?\n.*?'\n", text)
        assert len(calls) == 2
        for call in calls:
            said = shlex.split(call.replace("\\\n", " "))
            headers = dict(said[n + 1].split(": ", 1) for n, w in enumerate(said) if w == "-H")
            answer = httpx.post(said[1], headers=headers, content=said[said.index("-d") + 1])
            assert answer.json()["ok"] is True
        assert f"export HIPPOCORTEX_API_KEY={key}" in text
    finally:
        process.terminate()
        assert process.wait(60) == 0
        assert key not in process.stderr.read()
        process.stdout.close()
        process.stderr.close()


def test_the_key_is_shown_once_and_goes_on_working(start):
    first = start()
    key = first.key
    assert first.stop() == 0
    second = start()
    assert second.key is None
    with second.client(key) as client:
        assert client.post("/capture", json=MESSAGE).status_code == 200


def test_a_server_for_other_machines_needs_a_key_first(start, a_key):
    line = fails("--host", "0.0.0.0", "--port", "0", "--store", "sqlite:///m.db")
    assert "hippocortex keys create" in line
    key = a_key("sqlite:///m.db")
    server = start("--host", "0.0.0.0", "--store", "sqlite:///m.db")
    assert server.key is None
    with server.client(key) as client:
        assert client.get("/usage-metrics").status_code == 200


def test_a_port_in_use_is_one_line_with_the_fix():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = fails("--port", port)
    assert f"127.0.0.1:{port} is in use; " in line
    assert "--port" in line


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("--host", "no.such.host.invalid"), 1, "choose one with --host"),
        (("--host", "192.0.2.1"), 1, "no address of this machine"),
        (("--port", "70000"), 2, "--port"),
        (("--workers", "0"), 2, "--workers"),
        (("--log-format", "xml"), 2, "json, text"),
        (("--store", "https://memory.example/v1"), 1, "is a service, not a database"),
        (("--store", "sqlite://", "--workers", "2"), 1, "--workers 1"),
        (("--store", "postgresql://nobody@127.0.0.1:1/x"), 1, "127.0.0.1:1"),
    ],
)
def test_what_cannot_be_served_is_one_line(args, code, said):
    port = () if "--port" in args else ("--port", "0")
    assert said in fails(*args, *port, code=code)


def test_options_may_come_from_the_environment(start):
    server = start(HIPPOCORTEX_STORE="sqlite:///other.db", HIPPOCORTEX_RATE_LIMIT="2")
    assert server.said["store"] == "other.db"
    with server.client() as client:
        statuses = [client.get("/usage-metrics").status_code for _ in range(3)]
    assert statuses == [200, 200, 429]


def test_a_revoked_key_is_refused_by_a_running_server(start, cli):
    server = start()
    listed = json.loads(cli("keys", "list", "--json").stdout)
    with server.client() as client:
        assert client.get("/usage-metrics").status_code == 200
        cli("keys", "revoke", listed["keys"][0]["keyId"])
        assert client.get("/usage-metrics").status_code == 401


@pytest.mark.parametrize(
    ("workers", "sig"), [(1, signal.SIGTERM), (1, signal.SIGINT), (2, signal.SIGTERM)]
)
def test_a_request_under_way_is_answered_before_it_stops(start, workers, sig, wait_for):
    server = start("--workers", workers)
    body = json.dumps(MESSAGE).encode()
    with socket.create_connection(server.address, timeout=60) as connection:
        connection.sendall(_head(server, body) + body[:10])
        wait_for(lambda: "hippocortex_requests_in_flight 2.0" in _figures(server))
        server.process.send_signal(sig)
        wait_for(lambda: _refuses(server.address), "that nobody new is let in")
        connection.sendall(body[10:])
        answer = _read_all(connection)
    assert b" 200 OK\r\n" in answer
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["data"]["status"] == "ingested"
    assert server.process.wait(60) == 0


def test_a_request_that_never_ends_does_not_keep_it_from_stopping(start, wait_for):
    server = start("--shutdown-timeout", "1")
    body = json.dumps(MESSAGE).encode()
    with socket.create_connection(server.address, timeout=60) as connection:
        connection.sendall(_head(server, body) + body[:10])
        wait_for(lambda: "hippocortex_requests_in_flight 2.0" in _figures(server))
        server.process.terminate()
        assert server.process.wait(20) == 0


def test_logs_are_json_lines_with_request_ids_and_without_keys(start):
    server = start()
    with server.client() as client:
        client.post("/capture", json=MESSAGE, headers={"X-Request-Id": "mine-1"})
        client.get(f"/artifacts/{server.key}")
        client.get("/nothing", params={"key": server.key})
        client.post("/capture", content=f'{{"{server.key}": ')
        client.get("/usage-metrics", headers={"Authorization": f"Basic {server.key}"})
    server.stop()
    assert all(isinstance(json.loads(line), dict) for line in server.log.splitlines())
    assert server.key[10:] not in server.log
    (captured,) = [line for line in server.lines if line.get("request_id") == "mine-1"]
    assert captured["operation"] == "capture"
    assert captured["tenant_id"] == "default"
    assert captured["status"] == 200
    assert captured["duration_ms"] > 0


def _head(server, body):
    return (
        f"POST /v1/capture HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    ).encode()


def _figures(server):
    return httpx.get(server.url.removesuffix("/v1") + "/metrics", timeout=60).text


def _refuses(address):
    try:
        with socket.create_connection(address, timeout=0.2) as connection:
            connection.sendall(b"GET /v1/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            return not connection.recv(1)
    except OSError:
        return True


def _read_all(connection):
    pieces = []
    while piece := connection.recv(65_536):
        pieces.append(piece)
    return b"".join(pieces)
