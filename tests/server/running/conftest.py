"""Servers as their users run them: `hippocortex serve` in processes of its own."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from hippocortex_engine import Database
from hippocortex_server.keys import Keyring

PATIENCE = 60.0
"""Seconds after which a test gives up waiting for another process."""


def eventually(condition, what="it"):
    """What the condition gives, as soon as that is true."""
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < end, f"{what} did not happen in time"
        threading.Event().wait(0.05)
    return found


class Server:
    """A running server."""

    def __init__(self, process, said, log):
        self.process = process
        self.said = said
        self.log_path = log
        self.url = said["url"]
        self.key = said["firstKey"]

    @property
    def log(self):
        """What it wrote to stderr so far."""
        return self.log_path.read_text(encoding="utf-8")

    @property
    def lines(self):
        """Its log, parsed."""
        return [json.loads(line) for line in self.log.splitlines() if line.endswith("}")]

    @property
    def workers(self):
        """The ids of its processes that were started, in order."""
        return [int(pid) for pid in re.findall(r"Started server process \[(\d+)\]", self.log)]

    @property
    def address(self):
        """Host and port."""
        url = httpx.URL(self.url)
        return url.host, url.port

    def client(self, key=None, **options):
        """An HTTP client; it does not retry."""
        headers = {"Authorization": f"Bearer {key or self.key}"}
        # There is no TLS here, and loading certificates takes longer than most requests.
        return httpx.Client(
            base_url=self.url, headers=headers, timeout=PATIENCE, verify=False, **options
        )

    def ask(self, method, path, body=None, key=None):
        """Status and JSON of a request on a connection of its own."""
        connection = http.client.HTTPConnection(*self.address, timeout=PATIENCE)
        headers = {"Authorization": f"Bearer {key or self.key}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            data = None if body is None else json.dumps(body)
            connection.request(method, path, data, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def ready(self):
        """Wait until it answers."""
        assert self.ask("GET", "/v1/health")[0] == 200
        return self

    def stop(self, sig=signal.SIGTERM):
        """Tell it to stop; its exit code."""
        self.process.send_signal(sig)
        return self.process.wait(PATIENCE)


@pytest.fixture(autouse=True, scope="package")
def _compiled_once(tmp_path_factory):
    """Processes find each other's compiled modules, or each would compile them all anew."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        patch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path_factory.mktemp("pycache")))
        yield


@pytest.fixture
def start(tmp_path):
    """Starts servers; those that still run at the end of the test are ended."""
    running, logs = [], []

    def _start(*args, **environ):
        log = tmp_path / f"serve-{len(logs)}.log"
        logs.append(log)
        command = [sys.executable, "-m", "hippocortex.cli", "serve", "--port", "0", "--json"]
        with log.open("wb") as stderr:
            process = subprocess.Popen(
                [*command, *map(str, args)],
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                env={**os.environ, **environ},
            )
        running.append(process)
        line = process.stdout.readline()
        assert line, f"it did not start: {log.read_text()}"
        return Server(process, json.loads(line), log).ready()

    yield _start
    for process in running:
        if process.poll() is None:
            process.terminate()
    for process in running:
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


@pytest.fixture
def cli():
    """Runs a command to its end."""

    def _cli(*args, code=0):
        command = [sys.executable, "-m", "hippocortex.cli", *map(str, args)]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done

    return _cli


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request):
    """The URL of an empty store, of either kind."""
    if request.param == "sqlite":
        return "sqlite:///memory.db"
    return request.getfixturevalue("postgres_url")


@pytest.fixture
def a_key():
    """Makes a key that may read and write."""

    def _a_key(store):
        database = Database(store)
        try:
            return Keyring(database).create("acme", ["read", "write"]).secret
        finally:
            database.close()

    return _a_key


@pytest.fixture
def wait_for():
    return eventually


@pytest.fixture
def is_alive():
    """Whether a process is alive, and no zombie."""

    def _is_alive(pid):
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
        except FileNotFoundError:
            return False
        return stat.rpartition(")")[2].split()[0] != "Z"

    return _is_alive
