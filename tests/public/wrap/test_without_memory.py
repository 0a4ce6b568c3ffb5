"""What `wrap` does when there is no memory, or a broken one."""

import importlib.util
import json
import logging
import subprocess
import sys
from types import SimpleNamespace

import pytest

from hippocortex import wrap
from hippocortex._instrument import interceptor
from hippocortex_core import config, guard

USER = {"role": "user", "content": "Hi"}
REPLY = {"choices": [{"message": {"content": "Hello"}}]}


@pytest.fixture
def client():
    sent = []
    create = lambda **kwargs: sent.append(kwargs) or REPLY  # noqa: E731
    return SimpleNamespace(sent=sent, messages=SimpleNamespace(create=create))


@pytest.fixture
def homeless(monkeypatch):
    """No home is configured, and no engine installed."""
    monkeypatch.delenv("HIPPOCORTEX_BASE_URL")
    monkeypatch.setattr(config, "find_spec", lambda name: None)


@pytest.mark.usefixtures("homeless")
def test_without_a_home_the_client_is_unchanged_and_one_line_says_so(client, capsys):
    before = client.messages.create
    assert wrap(client) is client
    assert client.messages.create is before
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("hippocortex: no memory: nothing says where the memory lives")


@pytest.mark.usefixtures("homeless")
def test_silence_can_be_asked_for(client, capsys, monkeypatch):
    monkeypatch.setenv("HIPPOCORTEX_SILENT", "1")
    wrap(client)
    assert capsys.readouterr().err == ""


def test_a_broken_configuration_is_said_and_harms_nothing(client, capsys):
    before = client.messages.create
    wrap(client, base_url="gopher://x")
    assert client.messages.create is before
    assert "unknown kind of base URL" in capsys.readouterr().err


def test_a_fault_of_ours_never_reaches_the_caller(client, home, monkeypatch, caplog):
    monkeypatch.delenv("HIPPOCORTEX_STRICT")
    monkeypatch.setattr(guard, "_reported", set())
    monkeypatch.setattr(interceptor.Interceptor, "plan", lambda *args: 1 / 0)
    wrap(client)
    with caplog.at_level(logging.DEBUG, "hippocortex"):
        for _ in range(3):
            assert client.messages.create(messages=[USER]) is REPLY
    assert client.sent[0] == {"messages": [USER]}
    assert [record.levelname for record in caplog.records] == ["WARNING", "DEBUG", "DEBUG"]


def test_a_fault_of_ours_is_raised_when_strictness_is_asked_for(client, monkeypatch):
    monkeypatch.setattr(interceptor.Interceptor, "plan", lambda *args: 1 / 0)
    wrap(client)
    with pytest.raises(ZeroDivisionError):
        client.messages.create(messages=[USER])


def test_importing_hippocortex_imports_no_sdk_and_nothing_heavy():
    code = """
import sys, hippocortex
hippocortex.wrap, hippocortex.session
import json
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    loaded = set(json.loads(out))
    assert loaded.isdisjoint({"openai", "anthropic", "hippocortex_engine", "numpy", "sqlalchemy"})
    assert importlib.util.find_spec("hippocortex.wrap") is not None
