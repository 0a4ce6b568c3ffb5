"""A fake `openclaw` on PATH, a real memory server, and the real command line."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hippocortex.cli.app import app
from hippocortex_core.testing import HttpHome, InMemoryService
from hippocortex_openclaw import installer

SCRIPT = Path(__file__).with_name("fake_openclaw.py")
KEY = "hx_live_0123456789abcdefghijklmnop"
READING = ("--version", "config get", "plugins inspect")


class FakeOpenClaw:
    """The fake, its state, and what it was asked."""

    def __init__(self, folder, monkeypatch):
        self.state = folder / "state of openclaw"
        self.state.mkdir()
        self.command = folder / "bin" / "openclaw"
        self.command.parent.mkdir()
        self.command.write_text(f"#!{sys.executable} -SE\n{SCRIPT.read_text(encoding='utf-8')}")
        self.command.chmod(0o755)
        self.plugin = self.state / "extensions" / "hippocortex"
        self._monkeypatch = monkeypatch
        monkeypatch.setenv("OPENCLAW_STATE_DIR", str(self.state))
        monkeypatch.setenv("PATH", str(self.command.parent), prepend=os.pathsep)

    def behaves(self, **behaviour):
        self._monkeypatch.setenv("FAKE_OPENCLAW", json.dumps(behaviour))

    def calls(self):
        path = self.state / "calls.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def changes(self):
        """The commands that change something, without what the folders are called."""
        return [call["args"] for call in self.calls() if not _starts(call["args"], READING)]

    def patches(self):
        calls = [call for call in self.calls() if _starts(call["args"], ["config patch"])]
        return [json.loads(call["stdin"])["plugins"] for call in calls]

    def forget_calls(self):
        (self.state / "calls.jsonl").unlink()

    def config(self):
        return json.loads((self.state / "openclaw.json").read_text())

    def entry(self):
        return self.config()["plugins"]["entries"]["hippocortex"]

    def has_plugin(self, *, entry=None, **settings):
        """It is as after an install with these settings."""
        shutil.copytree(str(installer.by_hand(installer.Wanted()).source), self.plugin)
        (self.state / "records.json").write_text(json.dumps({"hippocortex": "somewhere"}))
        rights = {"enabled": True, "hooks": {"allowConversationAccess": True}}
        self.configure(entries={"hippocortex": {**rights, **(entry or {}), "config": settings}})

    def configure(self, **plugins):
        (self.state / "openclaw.json").write_text(json.dumps({"plugins": plugins}))


@pytest.fixture
def openclaw(tmp_path, monkeypatch):
    if os.name != "posix":
        pytest.skip("the fake is a script with a #! line")
    return FakeOpenClaw(tmp_path, monkeypatch)


@pytest.fixture
def server(monkeypatch):
    """A memory server that the command line is configured for."""
    with HttpHome(InMemoryService(), api_key=KEY) as home:
        monkeypatch.setenv("HIPPOCORTEX_BASE_URL", home.url)
        monkeypatch.setenv("HIPPOCORTEX_API_KEY", KEY)
        yield home


@pytest.fixture(autouse=True)
def _own_home(tmp_path, monkeypatch):
    for name in list(os.environ):
        unwanted = {"NO_COLOR", "COLUMNS", "FORCE_COLOR", "HIPPOCORTEX_STRICT"}
        if name.startswith("OPENCLAW_") or name in unwanted:
            monkeypatch.delenv(name)
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
def run():
    """Run `hippocortex openclaw …` in this process; no key may be in what it says."""

    def _run(*args, code=0, stdin=None):
        result = CliRunner().invoke(app, ["openclaw", *map(str, args)], input=stdin)
        assert result.exit_code == code, result.output
        assert KEY not in result.output
        return result

    return _run


@pytest.fixture
def fails(run):
    """The error line of a failing command."""

    def _fails(*args, code=1, stdin=None):
        result = run(*args, code=code, stdin=stdin)
        assert "Traceback" not in result.stderr
        line = result.stderr.splitlines()[-1]
        assert line.startswith("error: ")
        return line

    return _fails


@pytest.fixture
def steps(run):
    """The steps of a command by name, each with its status and message."""

    def _steps(*args, code=0):
        shown = json.loads(run(*args, "--json", code=code).stdout)
        assert shown["ok"] is (code == 0)
        return {step["name"]: step for step in shown["steps"]}

    return _steps


def _starts(args, beginnings):
    return " ".join(args).startswith(tuple(beginnings))
