"""Recorders that are closed, services that fail on demand, scripts in processes of their own."""

import subprocess
import sys
import textwrap
import threading
from collections import Counter

import pytest

from hippocortex_core import Recorder, RetryPolicy, Settings, SyncHippocortex
from hippocortex_core.testing import InMemoryService
from hippocortex_core.transports.http import HttpTransport


@pytest.fixture(autouse=True)
def _forgiving(monkeypatch):
    """What production survives is tested; strict mode is asked for where it is meant."""
    monkeypatch.delenv("HIPPOCORTEX_STRICT", raising=False)


class Gated(InMemoryService):
    """A memory that fails as told, and hangs while its gate is closed."""

    def __init__(self):
        super().__init__()
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()
        self.error = None
        self.batches = []
        self.asked = []
        self.poison = set()

    def capture_batch(self, events):
        self._meet()
        for event in events:
            if str(event.payload.get("content")) in self.poison:
                raise TypeError("a bug of the service")
        self.batches.append(len(events))
        return super().capture_batch(events)

    def synthesize(self, query, options=None):
        self.asked.append((query, options))
        self._meet()
        return super().synthesize(query, options)

    def texts(self):
        return [event.payload.get("content") for event in self.events]

    def _meet(self):
        self.entered.set()
        assert self.gate.wait(60)
        if self.error is not None:
            raise self.error


class Timer:
    """Seconds that grow only when told."""

    def __init__(self, now=1_000.0):
        self.now = now

    def __call__(self):
        return self.now

    def pass_by(self, seconds):
        self.now += seconds


@pytest.fixture
def memory():
    service = Gated()
    yield service
    service.gate.set()


@pytest.fixture
def timer():
    return Timer()


@pytest.fixture
def record_to(tmp_path):
    """Opens recorders with a spool in `tmp_path / "spool"`, and closes them."""
    opened = []

    def open_recorder(service, **options):
        options.setdefault("spool_dir", tmp_path / "spool")
        options.setdefault("flush_interval", 0.0)
        recorder = Recorder(service, **options)
        opened.append((recorder, service))
        return recorder

    yield open_recorder
    for recorder, service in opened:
        if isinstance(service, Gated):
            service.gate.set()
        recorder.close(0.5)


@pytest.fixture
def over_http():
    """Clients of a real HTTP home, without retries of their own, as `shared_recorder` uses."""
    opened = []

    def client(url, timeout=10.0):
        transport = HttpTransport(Settings(url, None, timeout), RetryPolicy(retries=0))
        opened.append(SyncHippocortex(transport=transport))
        return opened[-1]

    yield client
    for one in opened:
        one.close()


@pytest.fixture
def eventually():
    """Waits until something holds."""

    def wait(holds, seconds=20.0):
        never = threading.Event()
        for _ in range(int(seconds / 0.002)):
            if holds():
                return
            never.wait(0.002)
        raise AssertionError("it never happened")

    return wait


@pytest.fixture
def script(tmp_path):
    """Runs a script in a process of its own; `home` and `spool` are paths in it."""
    head = f"""
        import os, pathlib, signal, sys, threading
        from hippocortex_core import *
        from hippocortex_core.testing import InMemoryService
        home = "sqlite:///{tmp_path}/memory.db"
        spool = pathlib.Path({str(tmp_path / "spool")!r})
        def engine():
            from hippocortex_engine import open_engine
            return open_engine(home)
        def until(holds):
            never = threading.Event()
            while not holds():
                never.wait(0.002)
        def lines():
            return sum(len(p.read_bytes().splitlines()) for p in spool.glob("*.jsonl"))
    """

    def run(body, *, check=True):
        code = textwrap.dedent(head) + textwrap.dedent(body)
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
        )
        if check:
            assert done.returncode == 0, done.stderr
        return done

    return run


@pytest.fixture
def stored(tmp_path):
    """How often each text is stored in the home of `script`, in the order of storage."""
    from hippocortex_engine import open_engine

    def read():
        engine = open_engine(f"sqlite:///{tmp_path}/memory.db")
        try:
            events, cursor = [], None
            while True:
                page = engine.list_events(order="asc", limit=1000, cursor=cursor)
                events += page.events
                cursor = page.pagination.cursor
                if not page.pagination.has_more:
                    return Counter(event.payload["content"] for event in events)
        finally:
            engine.close()

    return read
