"""The plugin in a Node process with a host that only plays OpenClaw, and a real server for it."""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PATIENCE = 60.0
"""Seconds after which a test gives up waiting for another process."""

NODE = shutil.which(os.environ.get("HIPPOCORTEX_NODE") or "node")


class Host:
    """A Node process that has loaded the plugin."""

    def __init__(self, process):
        self.process = process
        self.log = []
        """Every line that the plugin logged."""

    def do(self, **command):
        """The result of a command to the host."""
        self.send(**command)
        return self.answer()["result"]

    def send(self, **command):
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()

    def answer(self):
        line = self.process.stdout.readline()
        assert line, "the host died"
        found = json.loads(line)
        self.log += [f"{one['level']} {one['message']}" for one in found["log"]]
        assert "error" not in found, found["error"]
        return found

    def register(self, config, **more):
        return self.do(op="register", config=config, **more)

    def reload(self, copy):
        """Loads the plugin anew, from a copy of its files that is made there."""
        shutil.copytree(self.process.args[-1], copy)
        self.do(op="reload", copy=str(copy))

    def hook(self, name, event, context):
        return self.do(op="hook", name=name, event=event, context=context)

    def timed(self, name, event, context):
        """The result of a hook, and the milliseconds that it took."""
        self.send(op="hook", name=name, event=event, context=context)
        found = self.answer()
        return found["result"], found["tookMs"]

    def call(self, module, name, *args):
        """The result of a function of one of the plugin's modules."""
        return self.do(op="call", module=module, name=name, args=args)

    def kill(self):
        """At once, as `kill -9` does."""
        self.process.kill()
        self.process.wait()

    def close(self):
        self.process.stdin.close()
        self.process.wait(PATIENCE)
        self.process.stdout.close()


def eventually(condition, what="it"):
    """What the condition gives, as soon as that is true."""
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < end, f"{what} did not happen in time"
        threading.Event().wait(0.02)
    return found


@pytest.fixture(scope="session")
def node():
    """The Node to run the plugin with."""
    if NODE is None:
        if os.environ.get("CI"):
            pytest.fail("node is not on PATH: the plugin cannot be tested")
        pytest.skip("node is not on PATH")
    return NODE


@pytest.fixture(scope="session")
def plugin_folder():
    import hippocortex_openclaw

    return Path(hippocortex_openclaw.__file__).parent / "plugin"


def _start(node, plugin_folder, environ):
    clean = {name: value for name, value in os.environ.items() if "HIPPOCORTEX" not in name}
    process = subprocess.Popen(
        [node, str(HERE / "host.mjs"), str(plugin_folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**clean, **environ},
    )
    return Host(process)


@pytest.fixture
def start_host(node, plugin_folder, tmp_path):
    """Starts hosts, with more in their environment; they end with the test."""
    started = []

    def start(**environ):
        environ.setdefault("OPENCLAW_STATE_DIR", str(tmp_path / "openclaw"))
        started.append(_start(node, plugin_folder, environ))
        return started[-1]

    yield start
    for host in started:
        if host.process.poll() is None:
            host.close()
        else:
            host.process.stdin.close()
            host.process.stdout.close()


@pytest.fixture
def host(start_host):
    return start_host()


@pytest.fixture(scope="module")
def pure(node, plugin_folder):
    """A host for calls of pure functions: nothing of a test stays in it."""
    host = _start(node, plugin_folder, {})
    yield host
    host.close()


class Server:
    """A running `hippocortex serve`."""

    def __init__(self, folder, port=0):
        self.folder = folder
        self.store = f"sqlite:///{folder}/memory.db"
        self.port = port
        self.url = f"http://127.0.0.1:{port}/v1"
        self.process = None

    def start(self):
        command = [sys.executable, "-m", "hippocortex.cli", "serve", "--json"]
        with (self.folder / "serve.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--store", self.store, "--port", str(self.port)],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        line = self.process.stdout.readline()
        assert line, (self.folder / "serve.log").read_text()
        self.url = json.loads(line)["url"]
        return self

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(PATIENCE)
            self.process.stdout.close()

    def new_key(self, tenant):
        from hippocortex_engine import Database
        from hippocortex_server.keys import Keyring

        database = Database(self.store)
        try:
            return Keyring(database).create(tenant, ["read", "write", "admin"]).secret
        finally:
            database.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """A real server for all tests; each has a tenant of its own."""
    server = Server(tmp_path_factory.mktemp("server")).start()
    yield server
    server.stop()


@pytest.fixture
def stopped_server(tmp_path):
    """A real server that the test may start."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    folder = tmp_path / "stopped-server"
    folder.mkdir()
    server = Server(folder, port)
    yield server
    server.stop()


@pytest.fixture
def wait_for():
    return eventually
