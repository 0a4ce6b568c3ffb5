"""A real OpenClaw with a scripted model and a real memory server, all on this machine's loopback.

Only where `HIPPOCORTEX_OPENCLAW_DIR` names a folder with Node and OpenClaw, as `nox -s openclaw`
makes one.  Whatever is started here is ended by its id, and its log is shown when a test fails.
"""

import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from hippocortex import CaptureEvent, SyncHippocortex
from hippocortex_core.testing.llm_server import Answer, LlmServer

# Now, as a test has no such variable; and whole, as it has a folder of its own.
OPENCLAW = os.environ.get("HIPPOCORTEX_OPENCLAW_DIR")
FOLDER = Path(OPENCLAW or ".").absolute()
NODE = FOLDER / "node" / "node_modules" / "node" / "bin"
COMMANDS = FOLDER / "app" / "node_modules" / ".bin"
collect_ignore_glob = [] if OPENCLAW else ["test_*.py"]

PATIENCE = 120.0
"""Seconds after which a test gives up waiting for another process."""
TOKEN = "token-of-a-gateway-on-loopback"
EARLIER = "earlier"
"""The session of what a memory knows beforehand."""
INTERNAL = "<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>"
QUIET = (
    *("CI", "NO_COLOR", "DO_NOT_TRACK", "OPENCLAW_NO_AUTO_UPDATE"),
    *("OPENCLAW_DISABLE_BONJOUR", "OPENCLAW_SKIP_CHANNELS", "OPENCLAW_SKIP_CRON"),
)
"""What keeps OpenClaw from doing anything by itself."""


def _eventually(condition, what="it"):
    """What the condition gives, as soon as that is true."""
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < end, f"{what} did not happen in time"
        threading.Event().wait(0.05)
    return found


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def surroundings(**more):
    """The environment of what is started here: nothing in it configures a memory."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("HIPPOCORTEX_", "OPENCLAW_"))
        and not name.lower().endswith("_proxy")
    }
    return kept | {name: str(value) for name, value in more.items()}


# --- Processes -----------------------------------------------------------------------------------

STARTED = []
"""Those that run, so that a failing test can show their logs."""


class Process:
    """One that runs on, with what it says in files."""

    def __init__(self, name, command, folder, env):
        self.name = name
        self.out, self.log = folder / f"{name}.out", folder / f"{name}.log"
        with self.out.open("wb") as out, self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(word) for word in command],
                cwd=folder,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=log,
            )
        STARTED.append(self)

    def said(self):
        """Its output so far."""
        return self.out.read_text(encoding="utf-8", errors="replace").strip()

    @property
    def tail(self):
        """The last that it said, on both channels."""
        logged = self.log.read_text(encoding="utf-8", errors="replace")
        lines = [*self.said().splitlines()[-30:], *logged.splitlines()[-30:]]
        return "\n".join(line[:300] for line in lines)

    def wait_for(self, condition, what):
        """What the condition gives; it must not end before that."""

        def found():
            assert self._process.poll() is None, f"{self.name} has ended\n{self.tail}"
            return condition()

        return _eventually(found, what)

    def stop(self):
        """Tell it to end, and see that it does."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self in STARTED:
            STARTED.remove(self)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    report = yield
    if report.failed:
        report.sections += [(f"the end of {one.name}'s log", one.tail) for one in STARTED]
    return report


# --- The memory ----------------------------------------------------------------------------------


class Memory:
    """`hippocortex serve` on a database of its own; it may be stopped and started again."""

    def __init__(self, folder):
        self.folder = folder
        self.port = 0
        self.start()
        self.url, self.key = self._said["url"], self._said["firstKey"]
        self.port = int(self.url.rpartition(":")[2].partition("/")[0])
        self.client = SyncHippocortex(self.key, self.url)

    def start(self):
        command = [sys.executable, "-m", "hippocortex.cli", "serve", "--json", "--store"]
        command += [f"sqlite:///{self.folder / 'memory.db'}", "--port", self.port]
        self._process = Process("memory", command, self.folder, surroundings())
        said = self._process.wait_for(self._process.said, "the memory's start")
        self._said = json.loads(said)

    def stop(self):
        self._process.stop()

    def close(self):
        self.client.close()
        self.stop()

    @property
    def environ(self):
        """What tells a process of it."""
        return {"HIPPOCORTEX_API_KEY": self.key, "HIPPOCORTEX_BASE_URL": self.url}

    def knows(self, words, *, user="owner", agent="main"):
        """Have something said earlier."""
        metadata = {"user_id": user, "agent_id": agent}
        payload = {"role": "user", "content": words}
        self.client.capture(CaptureEvent("message", EARLIER, payload, metadata))

    def events(self, session=None):
        """What was captured with this session key, or at all, oldest first."""
        events = [one for one in self.client.export() if one.session_id != EARLIER]
        return [one for one in events if session in {None, one.metadata["session_key"]}]

    def captured(self, session, count):
        """The events of the session, once there are so many."""
        return _eventually(
            lambda: found if len(found := self.events(session)) >= count else None,
            f"the capture of {count} events of {session}",
        )


def _brief(event):
    """An event in a tuple."""
    payload = event.payload
    if event.type == "message":
        return payload["role"], payload["content"]
    if event.type == "tool_call":
        return "call", payload["tool"], payload["args"]
    if event.type == "tool_result":
        return "result", payload["tool"], payload.get("error")
    return event.type, payload


# --- The model -----------------------------------------------------------------------------------


def said_by_user(message):
    """The words of a message if it is what the user said, as the model got it."""
    content = message["content"]
    if not isinstance(content, str):
        content = "\n".join(part.get("text", "") for part in content or ())
    is_users = message["role"] == "user" and not content.startswith(INTERNAL)
    return content if is_users else None


class Model:
    """Answers step by step: as many steps as it answered since the user spoke last.

    Attributes:
        steps: An answer, or a function of the request that gives one, for each step; the last
            one also for what comes after it.
    """

    def __init__(self):
        self.steps = [Answer("Hello.")]
        self._server = LlmServer(self._answer)

    def __enter__(self):
        self._server.__enter__()
        self.url = f"{self._server.url}/v1"
        return self

    def __exit__(self, *reason):
        self._server.__exit__(*reason)

    @property
    def requests(self):
        """What it was asked so far."""
        return [asked.body["messages"] for asked in self._server.asked]

    def _answer(self, asked):
        messages = asked.body["messages"]
        spoken = [at for at, one in enumerate(messages) if said_by_user(one) is not None]
        since = messages[spoken[-1] if spoken else 0 :]
        step = sum(one["role"] == "assistant" for one in since)
        answer = self.steps[min(step, len(self.steps) - 1)]
        return answer(messages) if callable(answer) else answer


@pytest.fixture(scope="session")
def model():
    with Model() as one:
        yield one


# --- OpenClaw ------------------------------------------------------------------------------------


@dataclass
class Turn:
    """What came of something that the user said.

    Attributes:
        reply: None if the turn failed.
        requests: What the model was asked meanwhile, each as its messages.
    """

    reply: str | None
    requests: Sequence

    @property
    def prompt(self):
        """What the model was given as the user's words, first."""
        spoken = [words for one in self.requests[0] if (words := said_by_user(one)) is not None]
        return spoken[-1]


class OpenClaw:
    """An OpenClaw with a state of its own, perhaps with a running gateway."""

    def __init__(self, folder, model):
        self.model = model
        self.port = free_port()
        self.state, self.config = folder / "state", folder / "openclaw.json"
        self.log = folder / "openclaw.log"
        self.folder, self.workspace = folder, folder / "workspace"
        for one in ("home", "workspace", "state"):
            (folder / one).mkdir()
        self.configure(_configuration(folder, self.port, model.url))
        self.env = surroundings(
            PATH=f"{NODE}{os.pathsep}{COMMANDS}{os.pathsep}{os.environ['PATH']}",
            NODE_COMPILE_CACHE=FOLDER / "compiled",  # kept as long as what it was compiled from
            HOME=folder / "home",
            OPENCLAW_STATE_DIR=self.state,
            OPENCLAW_CONFIG_PATH=self.config,
            **dict.fromkeys(QUIET, 1),
        )

    def configure(self, patch):
        """Merge the patch into the configuration, before anything runs."""
        found = self.config.read_text(encoding="utf-8") if self.config.exists() else "{}"
        self.config.write_text(json.dumps(_merged(json.loads(found), patch)), encoding="utf-8")

    def run(self, *command, code=0, env=None):
        """The output of a command, which must end with the exit code."""
        done = subprocess.run(
            [str(word) for word in command],
            cwd=self.folder,
            env=self.env | (env or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == code, f"exit code {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def openclaw(self, *args):
        """The output of a command of OpenClaw."""
        return self.run("openclaw", *args)

    def hippocortex(self, *args, code=0, memory=None):
        """The JSON document that one of our commands prints, for this memory or another."""
        command = (sys.executable, "-m", "hippocortex.cli", *args, "--json")
        return json.loads(self.run(*command, code=code, env=memory and memory.environ))

    @property
    def logged(self):
        """What the gateway, and its plugins, have logged."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    @property
    def spooled(self):
        """The batches that wait for the memory."""
        return sorted(self.state.glob("hippocortex/spool/**/*.json"))

    @contextmanager
    def gateway(self):
        """A running gateway."""
        process = Process("gateway", ("openclaw", "gateway", "run"), self.folder, self.env)
        try:
            process.wait_for(lambda: self._get("/readyz") == 200, "the gateway's start")
            yield self
        finally:
            process.stop()

    def says(self, words, *steps, session, agent="main"):
        """The user says something through the gateway, and the model follows the steps."""
        headers = {"x-openclaw-session-key": session}
        said = {"role": "user", "content": words}
        body = {"model": f"openclaw/{agent}", "messages": [said]}
        with self._following(steps) as requests:
            status, answer = self._ask("POST", "/v1/chat/completions", body, headers)
        if status != 200:
            return Turn(None, requests)
        return Turn(answer["choices"][0]["message"]["content"], requests)

    def says_locally(self, words, *steps, session):
        """The same, in a process of its own without the gateway."""
        with self._following(steps) as requests:
            turn = ("agent", "--local", "--agent", "main", "--session-key", session)
            said = self.openclaw(*turn, "--message", words, "--json")
        answer = json.loads(said[said.index("{") :])
        return Turn(answer["payloads"][0]["text"], requests)

    @contextmanager
    def _following(self, steps):
        before, requests = len(self.model.requests), []
        self.model.steps = [Answer(one) if isinstance(one, str) else one for one in steps]
        yield requests
        requests += self.model.requests[before:]

    def _get(self, path):
        try:
            return self._ask("GET", path)[0]
        except OSError:
            return None

    def _ask(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        headers = {"Authorization": f"Bearer {TOKEN}", **(headers or {})}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, path, json.dumps(body) if body else None, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()


def _merged(config, patch):
    if not isinstance(config, dict) or not isinstance(patch, dict):
        return patch
    return config | {name: _merged(config.get(name), value) for name, value in patch.items()}


def _configuration(folder, port, model_url):
    model = {"id": "model", "name": "Scripted", "input": ["text"]}
    scripted = {
        "baseUrl": model_url,
        "apiKey": "sk-scripted",
        "api": "openai-completions",
        "models": [{**model, "contextWindow": 128_000, "maxTokens": 4_096}],
    }
    return {
        "update": {"checkOnStart": False},
        "telemetry": {"enabled": False},
        "logging": {"file": str(folder / "openclaw.log")},
        "gateway": {
            "mode": "local",
            "port": port,
            "bind": "loopback",
            "auth": {"mode": "token", "token": TOKEN},
            "http": {"endpoints": {"chatCompletions": {"enabled": True}}},
        },
        "models": {"catalogRefresh": {"enabled": False}, "providers": {"scripted": scripted}},
        "agents": {
            "ownership": "explicit",
            "defaults": {
                "model": {"primary": "scripted/model"},
                "skipBootstrap": True,
                "workspace": str(folder / "workspaces"),
                "systemAgent": {"agentId": "main"},
                "heartbeat": {"agentId": "main", "every": "0m", "target": "none"},
            },
            "entries": {"main": {"workspace": str(folder / "workspace")}, "ops": {}},
        },
        # All other bundled plugins are off: they take half of the time of a start.
        "plugins": {"allow": ["memory-core"]},
    }


@pytest.fixture(scope="session")
def new_memory(tmp_path_factory):
    """Starts empty memories; they end with the tests."""
    with ExitStack() as stack:

        def start():
            one = Memory(tmp_path_factory.mktemp("memory"))
            stack.callback(one.close)
            return one

        yield start


@pytest.fixture(scope="session")
def new_openclaw(tmp_path_factory, model):
    """Makes an OpenClaw that was never started, for the memory."""

    def make(memory):
        # Else it would be one that happens to be installed on this machine.
        assert shutil.which(COMMANDS / "openclaw"), f"there is no OpenClaw in {FOLDER}"
        assert shutil.which(NODE / "node"), f"there is no Node in {FOLDER}"
        one = OpenClaw(tmp_path_factory.mktemp("openclaw"), model)
        one.env |= memory.environ
        return one

    return make


@pytest.fixture(scope="session")
def memory(new_memory):
    """A memory that tests share: what they say must differ."""
    return new_memory()


@pytest.fixture(scope="session")
def openclaw(new_openclaw, memory):
    """An OpenClaw with a gateway and the plugin, which was put in by hand before it started."""
    one = new_openclaw(memory)
    placed = one.hippocortex("openclaw", "install", "--no-cli", "--yes")
    one.configure(placed["patch"])
    one.configure({"plugins": {"allow": ["memory-core", "hippocortex"]}})
    with one.gateway():
        yield one


@pytest.fixture(scope="session")
def brief():
    return _brief


@pytest.fixture(scope="session")
def eventually():
    return _eventually
