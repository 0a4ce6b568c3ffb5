import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hippocortex.cli.app import app


@pytest.fixture(autouse=True)
def clean_place(tmp_path, monkeypatch):
    """An empty working directory, and no configuration but a database in it."""
    for name in list(os.environ):
        if name.startswith("HIPPOCORTEX_") or name in {"NO_COLOR", "COLUMNS", "FORCE_COLOR"}:
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HIPPOCORTEX_BASE_URL", f"sqlite:///{tmp_path.as_posix()}/memory.db")


@pytest.fixture
def run():
    """Run a command in this process."""

    def _run(*args: str, code: int = 0, stdin: str | None = None) -> Result:
        result = CliRunner().invoke(app, [str(arg) for arg in args], input=stdin)
        assert result.exit_code == code, result.output
        return result

    return _run


@pytest.fixture
def run_json(run):
    """The JSON document a command prints; nothing else may be on stdout."""

    def _run_json(*args: str, code: int = 0):
        return json.loads(run(*args, "--json", code=code).stdout)

    return _run_json


@pytest.fixture
def fails(run):
    """The one line a failing command says; nothing may be on stdout."""

    def _fails(*args: str, code: int = 1, stdin: str | None = None) -> str:
        result = run(*args, code=code, stdin=stdin)
        assert result.stdout == ""
        assert "Traceback" not in result.stderr
        (line,) = result.stderr.splitlines()
        assert line.startswith("error: ")
        return line

    return _fails


@pytest.fixture
def shell():
    """Run the installed command in a process of its own."""

    def _shell(*args: str, **options) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "hippocortex.cli", *map(str, args)]
        given = {"capture_output": True, "text": True, "encoding": "utf-8", "timeout": 120}
        return subprocess.run(command, check=False, **{**given, **options})

    return _shell


@pytest.fixture
def trajectories(tmp_path) -> Path:
    """Four deployments; two of them met a full connection pool and recovered."""
    path = tmp_path / "deploys.jsonl"
    runs = [json.dumps({"messages": _deployment(failing=n % 2 == 1)}) for n in range(4)]
    path.write_text("\n".join(runs), encoding="utf-8")
    return path


@pytest.fixture
def learned(run, trajectories):
    """A memory that has learned from the deployments."""
    run("import", trajectories)
    run("learn")


def _deployment(*, failing: bool) -> list[dict]:
    messages = [{"role": "user", "content": "Deploy the payment service to staging"}]
    for tool in ("run_tests", "build_image", "deploy"):
        if tool == "deploy" and failing:
            messages += _call("deploy", "Error: connection pool exhausted")
            messages += _call("restart_redis", "restarted")
        messages += _call(tool, "ok")
    return [*messages, {"role": "assistant", "content": "The payment service is deployed."}]


def _call(tool: str, result: str) -> list[dict]:
    function = {"name": tool, "arguments": '{"env": "staging"}'}
    calls = [{"id": f"call-{tool}", "type": "function", "function": function}]
    return [
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "tool_call_id": f"call-{tool}", "content": result},
    ]


@pytest.fixture
def unused_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
