"""Stores over every kind of home, called in both ways."""

import asyncio
from contextlib import ExitStack

import pytest

from hippocortex_core import Hippocortex, SyncHippocortex
from hippocortex_core.testing import HttpHome
from hippocortex_engine import open_engine
from hippocortex_langgraph import HippocortexStore

CALLS = {"put", "get", "delete", "search", "list_namespaces", "batch"}


class Clock:
    """Milliseconds since the epoch, which pass only when told to."""

    def __init__(self):
        self.now = 1_800_000_000_000

    def __call__(self):
        return self.now

    def forward(self, minutes):
        self.now += round(minutes * 60_000)


class Driven:
    """A store whose calls are all made the blocking way, or all in an event loop."""

    def __init__(self, store, loop):
        self.store = store
        self._loop = loop

    def __getattr__(self, name):
        if name not in CALLS or self._loop is None:
            return getattr(self.store, name)
        method = getattr(self.store, f"a{name}")
        return lambda *args, **options: self._loop.run_until_complete(method(*args, **options))

    def close(self):
        if self._loop is None:
            self.store.close()
        else:
            self._loop.run_until_complete(self.store.aclose())


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(params=["sqlite", "postgresql", "http", "async-client"])
def home(request, clock):
    """What a store is made with, and the engine behind it."""
    with ExitStack() as stack:
        url = "sqlite:///memory.db"
        if request.param == "postgresql":
            url = request.getfixturevalue("postgres_url")
        engine = open_engine(url, clock=clock)
        stack.callback(engine.close)
        if request.param == "http":
            served = stack.enter_context(HttpHome(engine))
            yield {"base_url": served.url}, engine
        elif request.param == "async-client":
            yield {"client": Hippocortex(service=engine)}, engine
        else:
            yield {"client": SyncHippocortex(service=engine)}, engine


@pytest.fixture(params=["sync", "async"])
def new_store(request, home):
    """Makes stores in one home, with options."""
    with ExitStack() as stack:
        loop = None
        if request.param == "async":
            loop = asyncio.new_event_loop()
            stack.callback(_end, loop)

        def make(**options):
            store = Driven(HippocortexStore(**home[0], **options), loop)
            stack.callback(store.close)
            return store

        yield make


def _end(loop):
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


@pytest.fixture
def store(new_store):
    return new_store()


@pytest.fixture
def engine(home):
    return home[1]


@pytest.fixture
def embedded(clock):
    """One engine in this process, for what does not depend on the home."""
    engine = open_engine("sqlite://", clock=clock)
    yield engine
    engine.close()
